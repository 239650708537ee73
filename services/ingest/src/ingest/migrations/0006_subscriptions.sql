-- What we asked hubs to announce. The secret is ours, for this hub alone, and signs what it sends.
CREATE TABLE ingest.subscriptions (
    source text PRIMARY KEY REFERENCES ingest.sources ON DELETE CASCADE,
    token text NOT NULL UNIQUE,
    secret text NOT NULL,
    hub text NOT NULL,
    topic text NOT NULL,
    state text NOT NULL CHECK (state IN ('pending', 'active', 'denied')),
    requested_at timestamptz NOT NULL,
    lease_s integer,
    lease_until timestamptz,
    error text NOT NULL DEFAULT ''
);
