-- What is old is found by its time, and what came since a moment too, whatever else the table holds.
CREATE INDEX IF NOT EXISTS pushed_by_time ON publish.pushed (pushed_at);
CREATE INDEX IF NOT EXISTS alerts_by_end ON publish.alerts (ended_at) WHERE ended_at IS NOT NULL;
