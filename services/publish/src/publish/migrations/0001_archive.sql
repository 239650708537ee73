-- Every revision of every update, and what stands of each; written by `publish archive` alone.

CREATE TABLE publish.epochs (
    epoch         int PRIMARY KEY,
    cluster_id    text NOT NULL,
    started_at    timestamptz NOT NULL DEFAULT now(),
    reason        text NOT NULL,
    first_offset  bigint NOT NULL,
    last_offset   bigint NOT NULL,
    last_event_id text NOT NULL DEFAULT ''
);
COMMENT ON TABLE publish.epochs IS 'One row for each log that updates.enriched has been; the highest epoch is the current one.';
COMMENT ON COLUMN publish.epochs.last_offset IS 'Archived up to and with this offset; first_offset - 1 before the first record.';

CREATE TABLE publish.revisions (
    update_id  text NOT NULL,
    revision   int NOT NULL,
    epoch      int NOT NULL,
    log_offset bigint NOT NULL,
    kind       text NOT NULL,
    removal    text,
    channels   text[] NOT NULL,
    data       bytea,
    withheld   boolean NOT NULL DEFAULT false,
    written_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (update_id, revision)
);
COMMENT ON COLUMN publish.revisions.channels IS 'Channels of this revision and of the one that stood before, so that a subscriber hears of what leaves.';
COMMENT ON COLUMN publish.revisions.data IS 'The message as it was on the log; NULL once a takedown has purged it.';
COMMENT ON COLUMN publish.revisions.withheld IS 'The update was killed or taken down: no reader is served this text.';
CREATE INDEX revisions_in_order ON publish.revisions (epoch, log_offset);

CREATE TABLE publish.updates (
    update_id          text PRIMARY KEY,
    revision           int NOT NULL,
    epoch              int NOT NULL,
    log_offset         bigint NOT NULL,
    position_epoch     int,
    position_offset    bigint,
    visible            boolean NOT NULL,
    final              boolean NOT NULL,
    removal            text,
    source             text NOT NULL,
    story              text,
    channels           text[] NOT NULL,
    first_published_at timestamptz NOT NULL,
    updated_at         timestamptz,
    data               bytea NOT NULL
);
COMMENT ON COLUMN publish.updates.position_offset IS 'Where the update was first visible; it never moves. NULL while it never was.';
CREATE INDEX updates_newest_first ON publish.updates (position_epoch DESC, position_offset DESC) WHERE visible;
CREATE INDEX updates_of_a_log_place ON publish.updates (epoch, log_offset);

CREATE TABLE publish.update_channels (
    channel         text NOT NULL,
    position_epoch  int NOT NULL,
    position_offset bigint NOT NULL,
    update_id       text NOT NULL REFERENCES publish.updates ON DELETE CASCADE,
    PRIMARY KEY (channel, position_epoch, position_offset, update_id)
);
COMMENT ON TABLE publish.update_channels IS 'Visible updates by channel, but for news (publish.updates itself) and update:ID (its key).';
CREATE INDEX update_channels_of_an_update ON publish.update_channels (update_id);
