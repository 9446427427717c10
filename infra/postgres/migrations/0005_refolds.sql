-- Streams whose rows must be folded again although nothing was appended to them: a key of their fields was destroyed.

CREATE TABLE read_model.refold (
    seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    context text NOT NULL,
    originator_id uuid NOT NULL,
    asked_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE read_model.refold IS
    'Streams whose keys were destroyed. Tables that were being filled meanwhile are folded again for them before they are shown';
COMMENT ON COLUMN read_model.refold.seq IS 'In the order in which they were destroyed';
COMMENT ON COLUMN read_model.refold.context IS 'The bounded context';
COMMENT ON COLUMN read_model.refold.originator_id IS 'The stream';
COMMENT ON COLUMN read_model.refold.asked_at IS 'When its key was destroyed';
