-- Pictures by the hash of their bytes as fetched. A picture that cannot be rendered is here too, with the reason, so
-- that the same bytes are not tried again.
CREATE TABLE enrich.media (
    sha256        text PRIMARY KEY,
    picture       text NOT NULL,
    mime_type     text NOT NULL DEFAULT '',
    width         integer NOT NULL DEFAULT 0,
    height        integer NOT NULL DEFAULT 0,
    size_bytes    bigint NOT NULL,
    focal_x       double precision,
    focal_y       double precision,
    placeholder   text,
    phash         bigint,
    phash_bands   integer[] NOT NULL DEFAULT '{}',
    renditions    jsonb NOT NULL DEFAULT '[]',
    embedded      jsonb NOT NULL DEFAULT '{}',
    refused       text NOT NULL DEFAULT '',
    removed_at    timestamptz,
    created_at    timestamptz NOT NULL DEFAULT now()
);
COMMENT ON COLUMN enrich.media.picture IS 'sha256 of the first copy of this picture: copies of two agencies share it';
COMMENT ON COLUMN enrich.media.width IS 'pixels as seen, after the orientation was applied';
COMMENT ON COLUMN enrich.media.phash_bands IS 'the four 16-bit bands of phash, each with its number in the higher bits';
COMMENT ON COLUMN enrich.media.embedded IS 'the words of IPTC and XMP';
COMMENT ON COLUMN enrich.media.refused IS 'why these bytes cannot be rendered; empty when they were';
CREATE INDEX media_bands ON enrich.media USING gin (phash_bands) WHERE refused = '';
CREATE INDEX media_picture ON enrich.media (picture);

-- What each reference of each update came to.
CREATE TABLE enrich.media_references (
    update_id     text NOT NULL,
    reference     text NOT NULL,
    source        text NOT NULL,
    url           text NOT NULL,
    wanted        jsonb NOT NULL,
    state         text NOT NULL CHECK (state IN ('pending', 'ready', 'withheld', 'failed')),
    reason        text NOT NULL DEFAULT '',
    attempts      integer NOT NULL DEFAULT 0,
    retry_at      timestamptz,
    sha256        text REFERENCES enrich.media (sha256),
    fetched_url   text,
    fetched_as    jsonb,
    requested_at  timestamptz NOT NULL,
    settled_at    timestamptz,
    PRIMARY KEY (update_id, reference)
);
COMMENT ON COLUMN enrich.media_references.reference IS 'hash of the source''s id of the picture, or of its URL where it has none';
COMMENT ON COLUMN enrich.media_references.url IS 'what was last asked for';
COMMENT ON COLUMN enrich.media_references.wanted IS 'the reference that was last asked for, with the words of the wire';
COMMENT ON COLUMN enrich.media_references.fetched_url IS 'where sha256 came from: readers keep that picture while another URL is fetched';
COMMENT ON COLUMN enrich.media_references.fetched_as IS 'the reference, with its words, at the time sha256 was fetched';
CREATE INDEX media_references_due ON enrich.media_references (retry_at) WHERE state = 'pending';
CREATE INDEX media_references_fetched ON enrich.media_references (source, md5(fetched_url)) WHERE sha256 IS NOT NULL;
CREATE INDEX media_references_sha256 ON enrich.media_references (sha256);

-- What a source's usage terms forbid, beside the phrases that hold for all.
CREATE TABLE enrich.media_rights (
    source        text PRIMARY KEY,
    forbidden     text[] NOT NULL DEFAULT '{}',
    allowed       text[] NOT NULL DEFAULT '{}',
    credit        text NOT NULL DEFAULT '',
    changed_at    timestamptz NOT NULL DEFAULT now()
);
COMMENT ON COLUMN enrich.media_rights.forbidden IS 'phrases in usage terms, captions or instructions that withhold a picture of this source';
COMMENT ON COLUMN enrich.media_rights.allowed IS 'phrases that the newsroom''s contract with this source has settled: they forbid nothing';
COMMENT ON COLUMN enrich.media_rights.credit IS 'credit of this source''s pictures that carry none; empty withholds them';
