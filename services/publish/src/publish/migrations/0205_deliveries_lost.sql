-- Deliveries whose process ended while it had them: which were in hand then, and how often one was made alone meanwhile.
ALTER TABLE publish.deliveries ADD COLUMN lost boolean NOT NULL DEFAULT false;
ALTER TABLE publish.deliveries ADD COLUMN tried_alone int NOT NULL DEFAULT 0;
COMMENT ON COLUMN publish.deliveries.lost IS 'taken once more after its lease had run out';
COMMENT ON COLUMN publish.deliveries.tried_alone IS 'how often it was made alone by a process that then ended';
