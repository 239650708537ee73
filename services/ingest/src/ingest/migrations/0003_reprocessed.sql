ALTER TABLE ingest.originals ADD COLUMN reprocessed integer NOT NULL DEFAULT 0,
    ADD COLUMN asked_format text;
