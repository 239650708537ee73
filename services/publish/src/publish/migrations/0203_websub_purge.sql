-- The WebSub hub's requests that wait for verification, and caches that are purged by the same durable queue.

ALTER TABLE publish.endpoints DROP CONSTRAINT endpoints_kind_check;
ALTER TABLE publish.endpoints ADD CONSTRAINT endpoints_kind_check CHECK (kind IN ('webhook', 'websub', 'purge'));

CREATE TABLE publish.websub_requests (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    mode          text NOT NULL CHECK (mode IN ('subscribe', 'unsubscribe')),
    topic         text NOT NULL,
    channel       text NOT NULL,
    callback      text NOT NULL,
    secret        text,
    lease_s       int NOT NULL,
    attempts      int NOT NULL DEFAULT 0,
    next_attempt_at timestamptz NOT NULL DEFAULT now(),
    created_at    timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX websub_requests_due ON publish.websub_requests (next_attempt_at);
