-- Who has each place from which a stage takes its work, and what was begun alone there; see shared/crash_notes.py.
CREATE TABLE publish.crash_notes (
    stage     text NOT NULL,
    place     text NOT NULL,
    owner     text,
    opened_at timestamptz NOT NULL DEFAULT now(),
    begun     text,
    begun_at  timestamptz,
    tried_by  text[] NOT NULL DEFAULT '{}',
    PRIMARY KEY (stage, place)
);
COMMENT ON COLUMN publish.crash_notes.owner IS 'the process that has it; null once it was given back in order';
COMMENT ON COLUMN publish.crash_notes.tried_by IS 'the processes that began it alone and did not end it';
