-- How far each polled source has been read, and which replica has it in hand until when.
CREATE TABLE ingest.cursors (
    source text PRIMARY KEY REFERENCES ingest.sources ON DELETE CASCADE,
    etag text,
    last_modified text,
    sha256 text,
    interval_s double precision,
    next_at timestamptz NOT NULL DEFAULT now(),
    lease_owner text,
    lease_until timestamptz,
    polled_at timestamptz,
    status integer,
    failures integer NOT NULL DEFAULT 0,
    error text NOT NULL DEFAULT '',
    recover_since timestamptz
);
CREATE INDEX cursors_by_time ON ingest.cursors (next_at);
