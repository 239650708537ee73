-- What is pushed: who wants it, what is on its way, and what became of it.

CREATE TABLE publish.push_keys (
    id         text PRIMARY KEY,
    name       text NOT NULL,
    sha256     bytea NOT NULL UNIQUE,
    scopes     text[] NOT NULL,
    channels   text[] NOT NULL DEFAULT '{news}',
    created_at timestamptz NOT NULL DEFAULT now(),
    revoked_at timestamptz
);
COMMENT ON COLUMN publish.push_keys.channels IS 'What the holder is entitled to: updates of any of these channels.';

CREATE TABLE publish.endpoints (
    id              text PRIMARY KEY,
    kind            text NOT NULL CHECK (kind IN ('webhook', 'websub')),
    owner           text REFERENCES publish.push_keys,
    url             text NOT NULL,
    topic           text,
    description     text NOT NULL DEFAULT '',
    channels        text[] NOT NULL,
    entitled        text[] NOT NULL DEFAULT '{news}',
    kinds           text[] NOT NULL DEFAULT '{}',
    max_urgency     int,
    secrets         jsonb NOT NULL DEFAULT '[]',
    state           text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'disabled')),
    disabled_reason text NOT NULL DEFAULT '',
    disabled_at     timestamptz,
    failures        int NOT NULL DEFAULT 0,
    failing_since   timestamptz,
    retry_at        timestamptz,
    lease_until     timestamptz,
    created_at      timestamptz NOT NULL DEFAULT now()
);
COMMENT ON COLUMN publish.endpoints.secrets IS 'Newest first: [{"secret", "until"}]; the older ones also sign until their time.';
COMMENT ON COLUMN publish.endpoints.lease_until IS 'WebSub: when the subscription ends unless it is renewed.';
CREATE INDEX endpoints_of_channels ON publish.endpoints USING gin (channels) WHERE state = 'active';
CREATE INDEX endpoints_of_an_owner ON publish.endpoints (owner);
CREATE UNIQUE INDEX endpoints_websub ON publish.endpoints (topic, url) WHERE kind = 'websub';

CREATE TABLE publish.deliveries (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    endpoint_id     text NOT NULL REFERENCES publish.endpoints ON DELETE CASCADE,
    message_id      text NOT NULL,
    type            text NOT NULL,
    update_id       text NOT NULL DEFAULT '',
    revision        int NOT NULL DEFAULT 0,
    order_key       text NOT NULL,
    body            text,
    state           text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'delivered', 'failed', 'skipped')),
    attempts        int NOT NULL DEFAULT 0,
    next_attempt_at timestamptz NOT NULL DEFAULT now(),
    leased_until    timestamptz,
    created_at      timestamptz NOT NULL DEFAULT now(),
    ended_at        timestamptz,
    last_status     int,
    last_error      text NOT NULL DEFAULT '',
    log             jsonb[] NOT NULL DEFAULT '{}'
);
COMMENT ON COLUMN publish.deliveries.body IS 'Of a message that is about no update; the others are read from the archive when they leave.';
COMMENT ON COLUMN publish.deliveries.log IS 'One object for each attempt: at, status, error, duration_ms.';
CREATE INDEX deliveries_due ON publish.deliveries (next_attempt_at) WHERE state = 'waiting';
CREATE INDEX deliveries_in_order ON publish.deliveries (endpoint_id, order_key, id) WHERE state = 'waiting';
CREATE INDEX deliveries_of_an_endpoint ON publish.deliveries (endpoint_id, id DESC);
CREATE INDEX deliveries_ended ON publish.deliveries (ended_at) WHERE state <> 'waiting';

CREATE TABLE publish.pushed (
    update_id  text NOT NULL,
    revision   int NOT NULL,
    epoch      int NOT NULL,
    log_offset bigint NOT NULL,
    urgency    int,
    readable   boolean NOT NULL,
    pushed_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (update_id, revision)
);
COMMENT ON TABLE publish.pushed IS 'Revisions whose deliveries are queued: a repeat of one queues nothing.';

CREATE TABLE publish.subscriptions (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    service      text NOT NULL CHECK (service IN ('web', 'fcm', 'apns')),
    target       text NOT NULL,
    target_hash  bytea NOT NULL UNIQUE,
    p256dh       bytea,
    auth         bytea,
    token_sha256 bytea NOT NULL,
    channels     text[] NOT NULL,
    time_zone    text NOT NULL DEFAULT 'UTC',
    quiet_from   time,
    quiet_to     time,
    break_through int NOT NULL DEFAULT 1,
    per_hour     int NOT NULL,
    per_day      int NOT NULL,
    expires_at   timestamptz,
    retry_at     timestamptz,
    created_at   timestamptz NOT NULL DEFAULT now()
);
COMMENT ON COLUMN publish.subscriptions.target IS 'The push service''s URL for this browser, or the device token.';
COMMENT ON COLUMN publish.subscriptions.token_sha256 IS 'Hash of the token with which the reader changes or ends the subscription.';
COMMENT ON COLUMN publish.subscriptions.break_through IS 'Alerts of this level or a more pressing one (1 is the top) come in quiet hours too.';
CREATE INDEX subscriptions_of_channels ON publish.subscriptions USING gin (channels);

CREATE TABLE publish.alerts (
    id          text PRIMARY KEY,
    update_id   text NOT NULL,
    revision    int NOT NULL,
    kind        text NOT NULL CHECK (kind IN ('alert', 'replace', 'withdraw', 'digest', 'test')),
    level       int NOT NULL,
    story       text,
    channels    text[] NOT NULL,
    title       text NOT NULL,
    body        text NOT NULL,
    path        text NOT NULL,
    state       text NOT NULL CHECK (state IN ('unreadable', 'awaiting-approval', 'sending', 'sent', 'suppressed')),
    reason      text NOT NULL,
    proposed_by text NOT NULL,
    approved_by text[] NOT NULL DEFAULT '{}',
    audience    int NOT NULL DEFAULT 0,
    of_alert    text,
    batches     int NOT NULL DEFAULT 0,
    batches_done int NOT NULL DEFAULT 0,
    enriched_at timestamptz,
    created_at  timestamptz NOT NULL DEFAULT now(),
    released_at timestamptz,
    first_sent_at timestamptz,
    ended_at    timestamptz
);
CREATE INDEX alerts_open ON publish.alerts (created_at) WHERE state IN ('unreadable', 'awaiting-approval', 'sending');
CREATE INDEX alerts_of_an_update ON publish.alerts (update_id);
CREATE INDEX alerts_of_a_story ON publish.alerts (story, created_at);
CREATE INDEX alerts_newest ON publish.alerts (created_at DESC);

CREATE TABLE publish.alert_batches (
    alert_id text NOT NULL REFERENCES publish.alerts ON DELETE CASCADE,
    number   int NOT NULL,
    done_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (alert_id, number)
);

CREATE TABLE publish.alert_results (
    alert_id        text NOT NULL REFERENCES publish.alerts ON DELETE CASCADE,
    subscription_id bigint NOT NULL,
    result          text NOT NULL CHECK (result IN ('sent', 'later', 'gone', 'failed', 'suppressed', 'digest', 'digested')),
    reason          text NOT NULL DEFAULT '',
    status          int,
    attempts        int NOT NULL DEFAULT 1,
    at              timestamptz NOT NULL DEFAULT now(),
    retry_at        timestamptz,
    PRIMARY KEY (alert_id, subscription_id)
);
COMMENT ON COLUMN publish.alert_results.result IS 'later: the push service asked for a pause; digest: kept for the reader''s digest; digested: it was in one.';
CREATE INDEX alert_results_of_a_reader ON publish.alert_results (subscription_id, at) WHERE result = 'sent';
CREATE INDEX alert_results_later ON publish.alert_results (retry_at) WHERE result = 'later';
CREATE INDEX alert_results_digest ON publish.alert_results (subscription_id) WHERE result = 'digest';

CREATE TABLE publish.takedowns (
    update_id  text NOT NULL,
    sink       text NOT NULL,
    removal    text NOT NULL,
    revision   int NOT NULL,
    clean_at   timestamptz,
    checked_at timestamptz NOT NULL,
    detail     text NOT NULL DEFAULT '',
    PRIMARY KEY (update_id, sink)
);
COMMENT ON COLUMN publish.takedowns.clean_at IS 'When the sink was first seen without the update''s text, and has been since.';
