-- What a source may do beside sending copy; left out, a desk may do all and a wire kill and embargo.
ALTER TABLE ingest.sources ADD COLUMN may text[];
-- Who signed an order: a public name of the key, whose it is, and the person.
ALTER TABLE ingest.orders ADD COLUMN key_id text NOT NULL DEFAULT '', ADD COLUMN holder text NOT NULL DEFAULT '',
    ADD COLUMN person text NOT NULL DEFAULT '';
