-- What desks have ordered, for the sender who asks why its item is gone. The orders themselves travel on Kafka.
CREATE TABLE ingest.orders (
    id text PRIMARY KEY,
    update_id text NOT NULL,
    name text NOT NULL,
    by text NOT NULL,
    reason text NOT NULL DEFAULT '',
    ordered_at timestamptz NOT NULL
);
CREATE INDEX orders_by_update ON ingest.orders (update_id, ordered_at DESC);
