-- What a picture's C2PA manifest says.
ALTER TABLE enrich.media ADD COLUMN credentials jsonb;
COMMENT ON COLUMN enrich.media.credentials IS 'signer, time, tool and actions of its content credentials; null where it has none';
