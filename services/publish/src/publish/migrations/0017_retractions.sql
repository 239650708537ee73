-- Removals, the last first: feeds tell of what readers had. On revisions, which only grow: an index on places of
-- publish.updates would keep Postgres from updating its rows in place.
CREATE INDEX revisions_removals ON publish.revisions (epoch DESC, log_offset DESC) WHERE removal IS NOT NULL;
