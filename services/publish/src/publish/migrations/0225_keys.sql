-- Keys as on every port (shared/access): whose they are, until when, and what a partner may ask in a minute.
ALTER TABLE publish.push_keys
    ADD COLUMN kind text NOT NULL DEFAULT 'partner',
    ADD COLUMN person text NOT NULL DEFAULT '',
    ADD COLUMN label text NOT NULL DEFAULT '',
    ADD COLUMN expires_at timestamptz,
    ADD COLUMN last_used_at timestamptz,
    ADD COLUMN lineage text,
    ADD COLUMN per_minute integer CHECK (per_minute > 0);
COMMENT ON COLUMN publish.push_keys.per_minute IS 'Requests to the API a minute; the default for partners where it is empty.';
