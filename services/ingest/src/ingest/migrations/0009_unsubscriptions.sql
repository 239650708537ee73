-- Subscriptions that we no longer want: the source is gone, paused, or follows another topic. The hub is asked to end each
-- until it has verified that with us, or until the lease is over and it stops by itself. No reference to the source, which
-- may be gone.
CREATE TABLE ingest.unsubscriptions (
    token text PRIMARY KEY,
    source text NOT NULL,
    hub text NOT NULL,
    topic text NOT NULL,
    until timestamptz NOT NULL,
    next_at timestamptz NOT NULL DEFAULT now(),
    attempts integer NOT NULL DEFAULT 0,
    ended_at timestamptz,
    error text NOT NULL DEFAULT ''
);
CREATE INDEX unsubscriptions_by_time ON ingest.unsubscriptions (next_at) WHERE ended_at IS NULL;
