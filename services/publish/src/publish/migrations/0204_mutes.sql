-- Alerts that a desk holds back beforehand: who, of what, why and until when. Rows stay, since they say why readers were not told.

CREATE TABLE publish.mutes (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    channel    text NOT NULL,
    reason     text NOT NULL,
    muted_by   text NOT NULL,
    muted_at   timestamptz NOT NULL DEFAULT now(),
    until      timestamptz NOT NULL,
    lifted_by  text,
    lifted_at  timestamptz
);
COMMENT ON COLUMN publish.mutes.channel IS 'Alerts of updates in this channel do not leave: story:… mostly, or tag:…, source:…, update:…, news.';
CREATE INDEX mutes_of_a_channel ON publish.mutes (channel) WHERE lifted_at IS NULL;
