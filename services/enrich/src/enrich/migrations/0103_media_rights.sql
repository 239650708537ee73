-- Embargoes of pictures that end at a moment, and pictures that a person allowed although their terms forbid them.
ALTER TABLE enrich.media_references ADD COLUMN came_at timestamptz;
ALTER TABLE enrich.media_references ADD COLUMN opens_at timestamptz;
ALTER TABLE enrich.media_references ADD COLUMN allowed_by text NOT NULL DEFAULT '';
ALTER TABLE enrich.media_references ADD COLUMN allowed_because text NOT NULL DEFAULT '';
COMMENT ON COLUMN enrich.media_references.came_at IS 'when it was first asked for, by which an embargo''s hour without a day is meant; null before it was kept';
COMMENT ON COLUMN enrich.media_references.opens_at IS 'when an embargo ends that is the only reason to withhold it';
COMMENT ON COLUMN enrich.media_references.allowed_by IS 'who allowed this picture of this update against its terms; empty: nobody';
