-- `slugline where` asks what was delivered of one update, among those of sixty days.
CREATE INDEX IF NOT EXISTS deliveries_of_an_update ON publish.deliveries (update_id) WHERE update_id <> '';
