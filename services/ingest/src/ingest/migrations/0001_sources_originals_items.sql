CREATE TABLE ingest.sources (
    name text PRIMARY KEY CHECK (name ~ '^[a-z0-9][a-z0-9._-]{0,62}$'),
    kind text NOT NULL CHECK (kind IN ('api', 'poll', 'watch', 'websub')),
    title text NOT NULL DEFAULT '',
    url text,
    folder text,
    format text,
    profile jsonb NOT NULL DEFAULT '{}',
    desk boolean NOT NULL DEFAULT false,
    rate_per_s double precision CHECK (rate_per_s > 0),
    burst integer CHECK (burst > 0),
    max_body_bytes integer CHECK (max_body_bytes > 0),
    silence_after_s integer CHECK (silence_after_s > 0),
    min_interval_s integer CHECK (min_interval_s > 0),
    max_interval_s integer CHECK (max_interval_s > 0),
    paused_at timestamptz,
    paused_because text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE ingest.keys (
    sha256 bytea PRIMARY KEY CHECK (octet_length(sha256) = 32),
    source text NOT NULL REFERENCES ingest.sources ON DELETE CASCADE,
    label text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX keys_by_source ON ingest.keys (source, created_at);

-- What a source has done since it was added; moved forward in steps of seconds, not with every item.
CREATE TABLE ingest.activity (
    source text PRIMARY KEY REFERENCES ingest.sources ON DELETE CASCADE,
    accepted bigint NOT NULL DEFAULT 0,
    duplicate bigint NOT NULL DEFAULT 0,
    repaired bigint NOT NULL DEFAULT 0,
    rejected bigint NOT NULL DEFAULT 0,
    last_heard_at timestamptz,
    last_accepted_at timestamptz
);

CREATE TABLE ingest.originals (
    id uuid PRIMARY KEY,
    source text NOT NULL,
    transport text NOT NULL,
    received_at timestamptz NOT NULL,
    content_type text,
    headers jsonb NOT NULL DEFAULT '{}',
    sha256 text NOT NULL,
    body bytea NOT NULL,
    format text,
    parser_version text,
    updates integer,
    refused jsonb NOT NULL DEFAULT '[]',
    read_at timestamptz
);
CREATE INDEX originals_by_source ON ingest.originals (source, received_at);
CREATE INDEX originals_by_time ON ingest.originals (received_at);

-- One row for each version of an update that a source has sent, by what it says. `emitted_at` is set once Kafka has
-- acknowledged it: only then is a repeat a duplicate. Source and guid are empty where a later stage was heard of first.
-- `sequence` orders what was emitted of one update; it is made of the time here, since the replicas have clocks of their own.
CREATE TABLE ingest.items (
    update_id text NOT NULL,
    fingerprint text NOT NULL,
    source text,
    guid text,
    version text,
    version_created timestamptz,
    original_id uuid,
    original_index integer,
    received_at timestamptz,
    emitted_at timestamptz,
    sequence bigint NOT NULL DEFAULT 0,
    held_at timestamptz,
    enriched_at timestamptz,
    published_at timestamptz,
    ended text CHECK (ended IN ('duplicate', 'superseded', 'suppressed', 'dead')),
    ended_at timestamptz,
    reason text NOT NULL DEFAULT '',
    revision integer,
    position text,
    PRIMARY KEY (update_id, fingerprint)
);
CREATE INDEX items_by_update ON ingest.items (update_id, sequence DESC) WHERE emitted_at IS NOT NULL;
CREATE INDEX items_by_original ON ingest.items (original_id);
