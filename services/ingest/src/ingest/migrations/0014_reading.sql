-- Whether a document of the source is being read: a row that is leased again while it says so has ended its process.
ALTER TABLE ingest.cursors ADD COLUMN reading boolean NOT NULL DEFAULT false;
ALTER TABLE ingest.cursors ADD COLUMN deaths integer NOT NULL DEFAULT 0;
