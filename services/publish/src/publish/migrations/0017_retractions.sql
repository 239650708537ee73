-- Updates that readers had and may not have any more, the last first: feeds tell of them.
CREATE INDEX updates_retracted ON publish.updates (epoch DESC, log_offset DESC) WHERE NOT visible AND position_epoch IS NOT NULL;
