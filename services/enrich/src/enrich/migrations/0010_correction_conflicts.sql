-- Where a desk's correction and its source's newest words do not go together, so that they can be listed.
ALTER TABLE enrich.updates ADD COLUMN conflict_since timestamptz;
COMMENT ON COLUMN enrich.updates.conflict_since IS 'since when a desk has to decide; the words in conflict are in state';
CREATE INDEX updates_conflicts ON enrich.updates (conflict_since, update_id) WHERE conflict_since IS NOT NULL;
