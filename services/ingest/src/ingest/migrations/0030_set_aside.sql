-- What loops could not handle: rows and messages of others, with the reason and when they are tried again.
CREATE TABLE ingest.set_aside (
    loop      text NOT NULL,
    key       text NOT NULL,
    reason    text NOT NULL,
    attempts  integer NOT NULL DEFAULT 1,
    first_at  timestamptz NOT NULL DEFAULT now(),
    last_at   timestamptz NOT NULL DEFAULT now(),
    next_at   timestamptz NOT NULL,
    PRIMARY KEY (loop, key)
);
