-- References whose process ended while it had them: they are taken up alone, and not a third time.
ALTER TABLE enrich.media_references ADD COLUMN taken boolean NOT NULL DEFAULT false;
ALTER TABLE enrich.media_references ADD COLUMN tried_alone integer NOT NULL DEFAULT 0;
COMMENT ON COLUMN enrich.media_references.taken IS 'a process has it, or had it when it ended';
COMMENT ON COLUMN enrich.media_references.tried_alone IS 'how often it was taken up alone by a process that then ended';
