-- What waits for a desk, so that it can be listed and counted: the words are in state.
ALTER TABLE enrich.updates ADD COLUMN hold_kind text NOT NULL DEFAULT '', ADD COLUMN hold_since timestamptz;
COMMENT ON COLUMN enrich.updates.hold_kind IS 'advisory, policy, never, sent or order; spiked where a desk decided against it; empty where nothing waits';
CREATE INDEX updates_held ON enrich.updates (hold_since, update_id) WHERE hold_kind <> '';
