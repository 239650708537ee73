-- Silence is counted from here, so that a source that was paused for a night raises no alarm when it comes back.
ALTER TABLE ingest.sources ADD COLUMN resumed_at timestamptz;
