-- Who may ask over HTTP with a token, and who read what about whom. Of a token only its hash is kept; of what was read,
-- only whom and what it was about, never what it said.

CREATE TABLE event_store.token (
    token_id int PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    name text NOT NULL,
    role text NOT NULL,
    sha256 bytea NOT NULL UNIQUE CHECK (length(sha256) = 32),
    made_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    made_by text NOT NULL,
    expires_at timestamptz NOT NULL,
    revoked_at timestamptz
);
COMMENT ON TABLE event_store.token IS 'The tokens with which programs and people ask over HTTP. Backups leave them out';
COMMENT ON COLUMN event_store.token.token_id IS 'Number of the token, by which it is revoked';
COMMENT ON COLUMN event_store.token.name IS 'Whose it is, as the access log names whoever asks with it';
COMMENT ON COLUMN event_store.token.role IS 'What it may open: owner, reader, analyst, marketing, auditor or steward';
COMMENT ON COLUMN event_store.token.sha256 IS 'SHA-256 of the token, which stands nowhere';
COMMENT ON COLUMN event_store.token.made_at IS 'When it was made';
COMMENT ON COLUMN event_store.token.made_by IS 'Who made it';
COMMENT ON COLUMN event_store.token.expires_at IS 'From then on it is refused';
COMMENT ON COLUMN event_store.token.revoked_at IS 'Since when it is refused before its time; null where it is not';

CREATE TABLE event_store.access (
    access_id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    who text NOT NULL,
    role text NOT NULL,
    subjects uuid[] NOT NULL,
    purpose text NOT NULL,
    resource text NOT NULL,
    request text
);
CREATE INDEX access_by_subject ON event_store.access USING gin (subjects);
COMMENT ON TABLE event_store.access IS 'Who was shown personal fields in clear; written before they are read. Append-only';
COMMENT ON COLUMN event_store.access.access_id IS 'Number of the entry';
COMMENT ON COLUMN event_store.access.at IS 'When';
COMMENT ON COLUMN event_store.access.who IS 'To whom: the name of a user, or of a token';
COMMENT ON COLUMN event_store.access.role IS 'The role of whoever asked';
COMMENT ON COLUMN event_store.access.subjects IS 'About whom: ids of people, and of orders, reviews and quarantined rows, which are streams of the log';
COMMENT ON COLUMN event_store.access.purpose IS 'What for, as whoever asked says; or the command';
COMMENT ON COLUMN event_store.access.resource IS 'What was read: a thing, a row, or a list';
COMMENT ON COLUMN event_store.access.request IS 'Id of the request over HTTP, which its answer has as x-request-id';

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON event_store.access
    FOR EACH STATEMENT EXECUTE FUNCTION event_store.refuse_change(
        'The access log is only added to: who read what stays on record.'
    );
ALTER TABLE event_store.access ENABLE ALWAYS TRIGGER append_only;
