-- What editors say of a story as a whole.
ALTER TABLE enrich.stories
    ADD COLUMN edition int NOT NULL DEFAULT 0,
    ADD COLUMN standfirst text NOT NULL DEFAULT '',
    ADD COLUMN summary text[] NOT NULL DEFAULT '{}';
COMMENT ON COLUMN enrich.stories.edition IS 'counts the edits of label, standfirst and summary; 0 until the first';
