-- The state of each update: what is decided and emitted is a function of it and of the next message.
CREATE TABLE enrich.updates (
    update_id     text PRIMARY KEY,
    turn          bigint NOT NULL,
    revision      integer NOT NULL,
    status        text NOT NULL CHECK (status IN
                      ('waiting', 'live', 'held', 'withdrawn', 'expired', 'superseded', 'killed', 'taken-down')),
    source        text NOT NULL DEFAULT '',
    story         text,
    author_ids    text[] NOT NULL DEFAULT '{}',
    tag_codes     text[] NOT NULL DEFAULT '{}',
    due_at        timestamptz,
    due_for       text NOT NULL DEFAULT '' CHECK (due_for IN ('', 'embargo', 'expiry', 'retry')),
    asked_at      timestamptz,
    state         bytea NOT NULL,
    written_at    timestamptz NOT NULL DEFAULT now()
);
COMMENT ON COLUMN enrich.updates.turn IS 'counts the messages that changed this row: a row only moves forward';
COMMENT ON COLUMN enrich.updates.revision IS 'the newest revision that Kafka has acknowledged; 0 when readers were given nothing';
COMMENT ON COLUMN enrich.updates.status IS 'waiting: orders came before their update';
COMMENT ON COLUMN enrich.updates.state IS 'JSON: newest version, held version, rulings, what readers were last given. Not jsonb, which refuses NUL';
COMMENT ON COLUMN enrich.updates.due_at IS 'when this update must be looked at again';
COMMENT ON COLUMN enrich.updates.asked_at IS 'when the release for due_at was sent to updates.raw';
CREATE INDEX updates_due ON enrich.updates (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX updates_authors ON enrich.updates USING gin (author_ids) WHERE status = 'live';
CREATE INDEX updates_story ON enrich.updates (story) WHERE story IS NOT NULL;
CREATE INDEX updates_written ON enrich.updates (written_at);

-- What editors decided about single updates, remembered over all of their versions.
CREATE TABLE enrich.overrides (
    update_id     text PRIMARY KEY,
    tags          jsonb NOT NULL DEFAULT '{}',
    story         text,
    story_because text NOT NULL DEFAULT '',
    changed_at    timestamptz NOT NULL DEFAULT now()
);
COMMENT ON COLUMN enrich.overrides.tags IS 'code to {"use": true|false, "by": who, "at": when}';

CREATE TABLE enrich.authors (
    id            text PRIMARY KEY,
    profile       jsonb NOT NULL,
    changed_at    timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE enrich.unknown_names (
    name          text PRIMARY KEY,
    spelling      text NOT NULL,
    seen          bigint NOT NULL DEFAULT 1,
    first_seen    timestamptz NOT NULL DEFAULT now(),
    last_seen     timestamptz NOT NULL DEFAULT now(),
    example       text NOT NULL,
    source        text NOT NULL DEFAULT ''
);
COMMENT ON TABLE enrich.unknown_names IS 'names of bylines that the directory does not know';

-- Subjects: IPTC Media Topics as imported, and names to be found in texts.
CREATE TABLE enrich.subjects (
    code          text PRIMARY KEY,
    concept       jsonb NOT NULL
);
CREATE TABLE enrich.subject_codes (
    code          text PRIMARY KEY,
    meant         text NOT NULL
);
COMMENT ON TABLE enrich.subject_codes IS 'codes of other schemes and retired codes, and the Media Topic that they mean';
CREATE TABLE enrich.names (
    code          text PRIMARY KEY,
    kind          text NOT NULL,
    label         text NOT NULL,
    entry         jsonb NOT NULL
);

-- A number that grows with each change of a table that is kept in memory.
CREATE TABLE enrich.editions (
    name          text PRIMARY KEY,
    edition       bigint NOT NULL
);
INSERT INTO enrich.editions (name, edition) VALUES ('authors', 1), ('subjects', 1), ('names', 1);

-- Updates that must be made again because something they show has changed.
CREATE TABLE enrich.refreshes (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    cause         text NOT NULL,
    author_ids    text[] NOT NULL DEFAULT '{}',
    update_ids    text[] NOT NULL DEFAULT '{}',
    detail        text NOT NULL DEFAULT '',
    run_at        timestamptz NOT NULL DEFAULT now(),
    created_at    timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX refreshes_due ON enrich.refreshes (run_at);

-- Stories: what the similarity of texts found, and what editors merged.
CREATE TABLE enrich.gathered (
    update_id     text PRIMARY KEY,
    story         text,
    because       text NOT NULL DEFAULT '',
    families      text[] NOT NULL DEFAULT '{}',
    changed_at    timestamptz NOT NULL DEFAULT now()
);
COMMENT ON COLUMN enrich.gathered.families IS 'publisher families that tell the same, this one included';
CREATE TABLE enrich.stories (
    story         text PRIMARY KEY,
    label         text NOT NULL DEFAULT '',
    merged_into   text,
    merged_by     text NOT NULL DEFAULT '',
    changed_at    timestamptz NOT NULL DEFAULT now()
);
INSERT INTO enrich.editions (name, edition) VALUES ('stories', 1);
