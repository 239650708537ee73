-- Who changed what (shared/audit). Rows are only added; what can be erased of a person is taken out of `erasable`, and the
-- chain of hashes covers a digest of it.
CREATE TABLE enrich.audit (
    seq       bigint PRIMARY KEY,
    entry     text NOT NULL,
    erasable  jsonb NOT NULL,
    previous  bytea NOT NULL CHECK (octet_length(previous) = 32),
    hash      bytea NOT NULL CHECK (octet_length(hash) = 32)
);
CREATE INDEX audit_by_person ON enrich.audit ((erasable->'person'->>'value'));

CREATE FUNCTION enrich.audit_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.erasable @> NEW.erasable
        AND (OLD.seq, OLD.entry, OLD.previous, OLD.hash) = (NEW.seq, NEW.entry, NEW.previous, NEW.hash)
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'the audit log is only added to' USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER audit_stays BEFORE UPDATE OR DELETE ON enrich.audit FOR EACH ROW EXECUTE FUNCTION enrich.audit_stays();
CREATE TRIGGER audit_is_not_emptied BEFORE TRUNCATE ON enrich.audit FOR EACH STATEMENT EXECUTE FUNCTION enrich.audit_stays();
ALTER TABLE enrich.audit ENABLE ALWAYS TRIGGER audit_stays, ENABLE ALWAYS TRIGGER audit_is_not_emptied;
