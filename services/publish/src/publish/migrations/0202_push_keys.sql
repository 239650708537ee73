-- Keys that the newsroom makes for itself where the settings give none.

CREATE TABLE publish.push_identity (
    name     text PRIMARY KEY,
    value    text NOT NULL,
    made_at  timestamptz NOT NULL DEFAULT now()
);
