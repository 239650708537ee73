-- Rows of before are what readers have seen as one story; enrich gather judges those of its window again at its start.
ALTER TABLE enrich.gathered ADD COLUMN is_sure boolean NOT NULL DEFAULT true;
COMMENT ON COLUMN enrich.gathered.is_sure IS 'readers see it as one story with the others; else it is a suggestion to the desk';
CREATE INDEX gathered_suggested ON enrich.gathered (changed_at) WHERE NOT is_sure AND story IS NOT NULL;
