-- What is made of an original, and what becomes of an item, is written a moment after its row: with room on the same page
-- no index has to be told.
ALTER TABLE ingest.originals SET (fillfactor = 60);
ALTER TABLE ingest.items SET (fillfactor = 50);
