-- What the log gained between the ends of loads, counted once: a large load has more than a million events. All of it can
-- be counted anew from the log.

CREATE TABLE read_model.growth (
    after_position bigint NOT NULL,
    position bigint NOT NULL,
    definition text NOT NULL,
    events jsonb NOT NULL,
    corrections jsonb NOT NULL,
    PRIMARY KEY (after_position, position, definition)
);
COMMENT ON TABLE read_model.growth IS 'What stands in the log between two positions at which loads ended, counted once';
COMMENT ON COLUMN read_model.growth.after_position IS 'It begins after this position; 0 is the beginning of the log';
COMMENT ON COLUMN read_model.growth.position IS 'It ends with this position';
COMMENT ON COLUMN read_model.growth.definition IS 'SHA-256 of what is counted as a correction, and how many are kept';
COMMENT ON COLUMN read_model.growth.events IS 'How many events there are, by topic';
COMMENT ON COLUMN read_model.growth.corrections IS 'Positions of the first corrections, by context';

CREATE TABLE read_model.growth_of_orders (
    after_position bigint NOT NULL,
    position bigint NOT NULL,
    revision int NOT NULL,
    shown bigint NOT NULL,
    orders jsonb NOT NULL,
    PRIMARY KEY (after_position, position)
);
COMMENT ON TABLE read_model.growth_of_orders IS
    'To how many orders something happened between two positions at which loads ended, by the month in which they were placed';
COMMENT ON COLUMN read_model.growth_of_orders.after_position IS 'It begins after this position; 0 is the beginning of the log';
COMMENT ON COLUMN read_model.growth_of_orders.position IS 'It ends with this position';
COMMENT ON COLUMN read_model.growth_of_orders.revision IS 'The revision of sales that knew the months; counted anew of another';
COMMENT ON COLUMN read_model.growth_of_orders.shown IS 'The position that it showed then; counted anew of another';
COMMENT ON COLUMN read_model.growth_of_orders.orders IS 'By month and name of the event, how many orders have one';

-- The page of a review asks by its id.
CREATE INDEX review_reference_by_review ON event_store.review_reference (review_id);
