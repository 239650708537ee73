-- Texts that a source sends as links, to be fetched with its key (media_key_env of its profile).
CREATE TABLE ingest.linked_texts (
    source text NOT NULL,
    guid text NOT NULL,
    url text NOT NULL,
    host text NOT NULL,
    version jsonb NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    due_at timestamptz DEFAULT now(),
    error text NOT NULL DEFAULT '',
    wanted_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (source, guid)
);
CREATE INDEX linked_texts_due ON ingest.linked_texts (due_at);
COMMENT ON COLUMN ingest.linked_texts.version IS 'the version that came without its text, as native JSON';
COMMENT ON COLUMN ingest.linked_texts.due_at IS 'when it is to be fetched; null: given up, error says why';
