-- The work of the media lane: which host a reference goes to, whose turn it is, and the second hash of a picture.
ALTER TABLE enrich.media_references ADD COLUMN host text NOT NULL DEFAULT '';
ALTER TABLE enrich.media_references ADD COLUMN traceparent text NOT NULL DEFAULT '';
COMMENT ON COLUMN enrich.media_references.retry_at IS
    'when it is taken up: to be fetched while it is pending, to be announced once it is settled; null when all is done';
DROP INDEX enrich.media_references_due;
CREATE INDEX media_references_due ON enrich.media_references (retry_at) WHERE retry_at IS NOT NULL;

ALTER TABLE enrich.media ADD COLUMN dhash bigint;
ALTER TABLE enrich.media ADD COLUMN removed_reason text NOT NULL DEFAULT '';
