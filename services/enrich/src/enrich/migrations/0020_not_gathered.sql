-- Updates that could not be compared with others: why, and when each is tried again.
CREATE TABLE enrich.not_gathered (
    update_id text PRIMARY KEY,
    reason    text NOT NULL,
    tries     integer NOT NULL DEFAULT 1,
    failed_at timestamptz NOT NULL DEFAULT now(),
    retry_at  timestamptz NOT NULL
);
COMMENT ON TABLE enrich.not_gathered IS 'set aside by enrich gather; a row goes once its update was gathered, or has left the window';
CREATE INDEX not_gathered_due ON enrich.not_gathered (retry_at);
