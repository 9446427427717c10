-- When a read model last came further: one that is behind, and does not move, needs a person.

ALTER TABLE read_model.projection ADD COLUMN moved_at timestamptz NOT NULL DEFAULT clock_timestamp();
COMMENT ON COLUMN read_model.projection.moved_at IS 'When the live tables last came to another position, or were exchanged';
