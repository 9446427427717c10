-- What relays tell of themselves. It is no part of the log, and where a relay goes on does not depend on it.

CREATE SCHEMA publishing;
COMMENT ON SCHEMA publishing IS 'What relays tell of themselves, for people; no part of the log';

CREATE TABLE publishing.relay (
    name text PRIMARY KEY,
    position bigint NOT NULL,
    state text NOT NULL,
    error text,
    since timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    session uuid NOT NULL
) WITH (fillfactor = 20); -- updated again and again: room for its versions on the same page
COMMENT ON TABLE publishing.relay IS 'One row for each relay that was ever started';
COMMENT ON COLUMN publishing.relay.name IS 'The context whose events it publishes';
COMMENT ON COLUMN publishing.relay.position IS 'Events of the context up to this position of the log are published';
COMMENT ON COLUMN publishing.relay.state IS 'starting, publishing, following (nothing is left to publish), waiting (a service is away), ended, refused';
COMMENT ON COLUMN publishing.relay.error IS 'What it waits for, or why it has ended';
COMMENT ON COLUMN publishing.relay.since IS 'Since when it is in that state';
COMMENT ON COLUMN publishing.relay.updated_at IS 'When it last said so; a relay that lives does every few seconds';
COMMENT ON COLUMN publishing.relay.session IS 'Which process it is: one that finds another one here knows who took over';
