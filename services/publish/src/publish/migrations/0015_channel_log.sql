-- Where in the log something happened in each channel, so that the replay of a rare one reads its own records alone.

CREATE TABLE publish.channel_log (
    channel    text NOT NULL,
    epoch      int NOT NULL,
    log_offset bigint NOT NULL,
    PRIMARY KEY (channel, epoch, log_offset)
);
COMMENT ON TABLE publish.channel_log IS 'Places of revisions by channel, but for news (publish.revisions itself) and update:ID (its key).';

-- By a trigger, so that an archive of an older release, which may run beside this one, leaves no hole.
CREATE FUNCTION publish.note_channels() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO publish.channel_log (channel, epoch, log_offset)
    SELECT DISTINCT c, n.epoch, n.log_offset FROM new_revisions n, unnest(n.channels) AS c
    WHERE c <> 'news' AND NOT starts_with(c, 'update:')
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;

CREATE TRIGGER note_channels AFTER INSERT ON publish.revisions
    REFERENCING NEW TABLE AS new_revisions FOR EACH STATEMENT EXECUTE FUNCTION publish.note_channels();

INSERT INTO publish.channel_log (channel, epoch, log_offset)
SELECT DISTINCT c, r.epoch, r.log_offset FROM publish.revisions r, unnest(r.channels) AS c
WHERE c <> 'news' AND NOT starts_with(c, 'update:')
ON CONFLICT DO NOTHING;
