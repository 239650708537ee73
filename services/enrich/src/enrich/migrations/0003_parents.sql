-- Whose story an update follows: it must be made again when that changes.
ALTER TABLE enrich.updates ADD COLUMN parent text;
COMMENT ON COLUMN enrich.updates.parent IS 'the update that this one grew out of, where its source names no story of its own';
CREATE INDEX updates_parent ON enrich.updates (parent) WHERE parent IS NOT NULL;
