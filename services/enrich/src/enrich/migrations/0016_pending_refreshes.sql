-- Refreshes that wait for their turn: one row an update, however many causes ask for it.
CREATE TABLE enrich.pending_refreshes (
    update_id text PRIMARY KEY,
    source    text NOT NULL DEFAULT '',
    cause     text NOT NULL,
    detail    text NOT NULL DEFAULT '',
    place     bigint NOT NULL,
    asked_at  timestamptz NOT NULL DEFAULT now()
);
COMMENT ON COLUMN enrich.pending_refreshes.place IS 'its place in line: the first of a new cause stands behind the first that waits, so that causes take turns';
CREATE INDEX pending_refreshes_in_line ON enrich.pending_refreshes (place);

-- How far each cause has been put in line, newest updates first.
ALTER TABLE enrich.refreshes ADD COLUMN written_since timestamptz;
ALTER TABLE enrich.refreshes ADD COLUMN first_place bigint;
ALTER TABLE enrich.refreshes ADD COLUMN queued bigint NOT NULL DEFAULT 0;
ALTER TABLE enrich.refreshes ADD COLUMN reached_at timestamptz;
ALTER TABLE enrich.refreshes ADD COLUMN reached_id text;
COMMENT ON COLUMN enrich.refreshes.written_since IS 'only updates that were written since then; null: all';
COMMENT ON COLUMN enrich.refreshes.reached_at IS 'when the last update that stands in line was written; with reached_id the place to go on from';

-- The turn to send some: one for all replicas.
CREATE TABLE enrich.refresh_pace (
    one       boolean PRIMARY KEY DEFAULT true CHECK (one),
    next_at   timestamptz NOT NULL DEFAULT now()
);
INSERT INTO enrich.refresh_pace DEFAULT VALUES;
