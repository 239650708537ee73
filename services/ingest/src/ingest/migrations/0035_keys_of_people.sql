-- Keys as on every port (shared/access): public id, whose it is, what it opens, until when. Empty scopes are those of a key
-- that is older than scopes: it opens all that a source may do. A key of an operator belongs to no source.
ALTER TABLE ingest.keys
    ADD COLUMN id text NOT NULL DEFAULT 'key_' || left(replace(gen_random_uuid()::text, '-', ''), 16) UNIQUE,
    ADD COLUMN kind text NOT NULL DEFAULT 'source',
    ADD COLUMN holder text,
    ADD COLUMN person text NOT NULL DEFAULT '',
    ADD COLUMN scopes text[] NOT NULL DEFAULT '{}',
    ADD COLUMN expires_at timestamptz,
    ADD COLUMN last_used_at timestamptz,
    ADD COLUMN revoked_at timestamptz,
    ADD COLUMN lineage text,
    ALTER COLUMN source DROP NOT NULL,
    ADD CHECK (coalesce(holder, source) IS NOT NULL);
