-- Words and marks of visible updates, to be found by; kept by the archive's process in the transaction that archives them.

CREATE TABLE publish.search_index (
    update_id          text PRIMARY KEY,
    revision           int NOT NULL,
    position_epoch     int NOT NULL,
    position_offset    bigint NOT NULL,
    first_published_at timestamptz NOT NULL,
    config             text NOT NULL,
    words              tsvector NOT NULL
);
COMMENT ON TABLE publish.search_index IS 'One row for each visible update; holds words of sources, and goes with a kill.';
COMMENT ON COLUMN publish.search_index.words IS 'The words of the text, and marks that begin with the character 1: channels, language, urgency, kind, day, place.';
CREATE INDEX search_index_words ON publish.search_index USING gin (words);

CREATE TABLE publish.search_configs (
    config text PRIMARY KEY
);
COMMENT ON TABLE publish.search_configs IS 'The text search configurations that rows of the index were made with.';

CREATE TABLE publish.search_backfill (
    one             boolean PRIMARY KEY DEFAULT true CHECK (one),
    position_epoch  int NOT NULL DEFAULT 2147483647,
    position_offset bigint NOT NULL DEFAULT 9223372036854775807,
    done            boolean NOT NULL DEFAULT false
);
COMMENT ON TABLE publish.search_backfill IS 'Updates that were archived before this table was made are indexed down from here, newest first.';
INSERT INTO publish.search_backfill DEFAULT VALUES;
