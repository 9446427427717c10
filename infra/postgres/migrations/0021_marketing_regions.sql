-- Whose regions are whose: by it the views of the schema regional show marketing no rows but those of its own states.
-- Roles and their rights stand in roles.sql, which runs after this.

CREATE TABLE read_model.marketing_region (
    member text NOT NULL,
    state text NOT NULL CHECK (state ~ '^[A-Z]{2}$'),
    PRIMARY KEY (member, state)
);
COMMENT ON TABLE read_model.marketing_region IS
    'The states that a member of replayhouse_marketing sees; who stands in no row sees none';
COMMENT ON COLUMN read_model.marketing_region.member IS
    'A role of the database: whoever has its rights, its own members too, sees the state';
COMMENT ON COLUMN read_model.marketing_region.state IS 'The state, two letters';
