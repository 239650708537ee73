-- What was signed, taken in and must not be taken in a second time: by a digest of source, webhook-id and body.
CREATE TABLE ingest.signed_pushes (
    digest bytea PRIMARY KEY CHECK (octet_length(digest) = 32),
    seen_at timestamptz NOT NULL DEFAULT now(),
    claimed_until timestamptz NOT NULL,
    complete boolean NOT NULL DEFAULT false,
    receipt jsonb
);
COMMENT ON COLUMN ingest.signed_pushes.claimed_until IS 'until when a replica has it in hand, unless it is complete';
COMMENT ON COLUMN ingest.signed_pushes.receipt IS 'what became of its items; of one that is not complete the rest is taken when it comes again';
CREATE INDEX signed_pushes_by_time ON ingest.signed_pushes (seen_at);

-- Whether a hub has sent the very same before.
CREATE INDEX originals_of_hubs ON ingest.originals (source, sha256) WHERE transport = 'websub';
