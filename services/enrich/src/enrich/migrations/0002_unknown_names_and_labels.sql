-- Which updates show a name that the directory did not know, so that they are made again once it does.
ALTER TABLE enrich.updates ADD COLUMN unknown_names text[] NOT NULL DEFAULT '{}';
COMMENT ON COLUMN enrich.updates.unknown_names IS 'keys of names of the byline that are in no directory, words joined by hyphens';
CREATE INDEX updates_unknown_names ON enrich.updates USING gin (unknown_names) WHERE status = 'live';
ALTER TABLE enrich.refreshes ADD COLUMN unknown_names text[] NOT NULL DEFAULT '{}';
ALTER TABLE enrich.refreshes ADD COLUMN stories text[] NOT NULL DEFAULT '{}';
ALTER TABLE enrich.gathered ADD COLUMN label text NOT NULL DEFAULT '';
COMMENT ON COLUMN enrich.gathered.label IS 'what readers see of a story that no source has named';
