-- Names of documents by which later messages of a source point at an update, as CAP's do.
CREATE TABLE ingest.aliases (
    source text NOT NULL,
    alias text NOT NULL,
    guid text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (source, alias)
);
