-- Up to where of updates.enriched rows have what was made from each partition of updates.raw.
CREATE TABLE enrich.settled (
    partition     integer PRIMARY KEY,
    place         bigint NOT NULL,
    written_at    timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE enrich.settled IS 'whoever is assigned a partition of updates.raw reads updates.enriched from its place before it handles anything';
COMMENT ON COLUMN enrich.settled.place IS 'offset in updates.enriched: rows have all before it that was made from this partition';
-- A row is written by whoever started from what it says, and by no one else.
ALTER TABLE enrich.updates ADD COLUMN turn_before bigint;
COMMENT ON COLUMN enrich.updates.turn_before IS 'the turn of the row from which this one was made';
