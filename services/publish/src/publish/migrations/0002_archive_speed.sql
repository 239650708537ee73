-- What each archived revision costs: no check of a reference that one transaction writes, no index that is asked for rarely.

ALTER TABLE publish.update_channels DROP CONSTRAINT update_channels_update_id_fkey;
DROP INDEX publish.update_channels_of_an_update;
DROP INDEX publish.updates_of_a_log_place;

DO $$ BEGIN
    ALTER TABLE publish.revisions ALTER COLUMN data SET COMPRESSION lz4;
    ALTER TABLE publish.updates ALTER COLUMN data SET COMPRESSION lz4;
EXCEPTION WHEN feature_not_supported OR syntax_error OR invalid_parameter_value THEN
    RAISE NOTICE 'this Postgres has no lz4; texts stay compressed as they were';
END $$;
