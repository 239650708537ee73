-- What is known of a story as a whole; written by `publish archive` alone.
CREATE TABLE publish.stories (
    story         text PRIMARY KEY,
    started_at    timestamptz NOT NULL,
    edition       int NOT NULL DEFAULT 0,
    profile       jsonb
);
COMMENT ON COLUMN publish.stories.started_at IS 'When its first update was published; it does not move when that one is removed.';
COMMENT ON COLUMN publish.stories.profile IS 'What editors said last: name, standfirst, summary.';

INSERT INTO publish.stories (story, started_at)
SELECT story, min(first_published_at) FROM publish.updates
WHERE story IS NOT NULL AND position_offset IS NOT NULL GROUP BY story;
