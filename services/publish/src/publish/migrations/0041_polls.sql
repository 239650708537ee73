-- Votes of polls as they were last settled, by ids alone; Redis counts them.
CREATE TABLE publish.poll_votes (
    update_id text NOT NULL,
    poll_id text NOT NULL,
    option_id text NOT NULL,
    votes bigint NOT NULL,
    settled_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (update_id, poll_id, option_id)
);
