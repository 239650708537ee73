-- Secrets for signed pushes are derived, not kept; this says which ones have been given out: this one and the one before.
ALTER TABLE ingest.sources ADD COLUMN signing_generation integer NOT NULL DEFAULT 0;
