-- Readers have no temporary tables, large objects or locks that stop a load. What they may do stands in roles.sql, which
-- runs after this; here is where commands that keep others away say so, for an advisory lock of a known number could be
-- taken by anybody.

CREATE TABLE event_store.lock (
    name text PRIMARY KEY,
    key bigint,
    pid int,
    role oid
);
COMMENT ON TABLE event_store.lock IS 'Which command keeps others of its kind away. It holds as long as that session holds the advisory lock of this number';
COMMENT ON COLUMN event_store.lock.name IS 'What there may be one of at a time';
COMMENT ON COLUMN event_store.lock.key IS 'Number of the advisory lock, drawn anew each time';
COMMENT ON COLUMN event_store.lock.pid IS 'The server process of the command';
COMMENT ON COLUMN event_store.lock.role IS 'Whom it connected as';
