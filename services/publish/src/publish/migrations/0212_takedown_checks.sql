-- When each takedown is looked at next, and what each full look found; alerts and delivery logs without the words of what is gone.

CREATE TABLE publish.takedown_checks (
    update_id  text PRIMARY KEY,
    started_at timestamptz NOT NULL DEFAULT now(),
    due_at     timestamptz DEFAULT now(),
    full_looks int NOT NULL DEFAULT 0
);
COMMENT ON COLUMN publish.takedown_checks.due_at IS 'When it is looked at next; NULL once it was clean after a day, or nobody waits for it any more.';
COMMENT ON COLUMN publish.takedown_checks.full_looks IS 'How often every sink was looked at and all were clean: at first, after an hour, after a day.';
CREATE INDEX takedown_checks_due ON publish.takedown_checks (due_at) WHERE due_at IS NOT NULL;

CREATE TABLE publish.takedown_looks (
    update_id  text NOT NULL,
    at         timestamptz NOT NULL DEFAULT now(),
    clean      boolean NOT NULL,
    unclean    text[] NOT NULL DEFAULT '{}',
    PRIMARY KEY (update_id, at)
);
COMMENT ON TABLE publish.takedown_looks IS 'Looks at every sink of a takedown, with those that were not clean.';

INSERT INTO publish.takedown_checks (update_id)
SELECT DISTINCT update_id FROM publish.takedowns WHERE clean_at IS NULL AND checked_at > now() - interval '1 day';

CREATE INDEX takedowns_unclean ON publish.takedowns (update_id) WHERE clean_at IS NULL;
UPDATE publish.alerts a SET title = '', body = '', path = '/updates/' || a.update_id FROM publish.updates u
WHERE u.update_id = a.update_id AND u.final AND a.kind <> 'withdraw' AND a.state IN ('sent', 'suppressed');
