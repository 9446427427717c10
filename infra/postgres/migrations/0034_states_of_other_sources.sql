-- States of other sources are named otherwise than Brazil's, and marketing may see those, too.

ALTER TABLE read_model.marketing_region DROP CONSTRAINT marketing_region_state_check;
COMMENT ON COLUMN read_model.marketing_region.state IS 'The state, as people and sellers have it';
