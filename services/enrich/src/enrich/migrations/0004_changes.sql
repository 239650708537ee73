-- What changed with each edition, so that an update that was being made with an older one meanwhile is made again.
CREATE TABLE enrich.changes (
    name          text NOT NULL,
    edition       bigint NOT NULL,
    keys          text[] NOT NULL,
    changed_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (name, edition)
);
COMMENT ON COLUMN enrich.changes.keys IS 'of authors their ids and the keys of their names, of stories their ids, as rows of enrich.updates have them';
