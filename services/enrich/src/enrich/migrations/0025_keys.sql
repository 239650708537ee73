-- Keys to the newsroom's own API (shared/access), beside the one that a setting may name.
CREATE TABLE enrich.keys (
    id            text PRIMARY KEY,
    sha256        bytea NOT NULL UNIQUE CHECK (octet_length(sha256) = 32),
    kind          text NOT NULL,
    holder        text NOT NULL,
    person        text NOT NULL DEFAULT '',
    scopes        text[] NOT NULL,
    label         text NOT NULL DEFAULT '',
    created_at    timestamptz NOT NULL DEFAULT now(),
    expires_at    timestamptz,
    last_used_at  timestamptz,
    revoked_at    timestamptz,
    lineage       text
);
