-- Answers of record: what was answered, kept by what it follows from. One that is kept equals one computed anew.

CREATE TABLE read_model.answer (
    question int NOT NULL,
    definition text NOT NULL,
    parameters jsonb NOT NULL,
    position bigint NOT NULL,
    occurred_before timestamp NOT NULL,
    erasures bigint NOT NULL,
    rows jsonb NOT NULL,
    finding text NOT NULL,
    named uuid[] NOT NULL,
    made_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (question, definition, parameters, position, occurred_before, erasures)
);
CREATE INDEX ON read_model.answer USING gin (named) WHERE named <> '{}';
COMMENT ON TABLE read_model.answer IS 'Answers to the business questions, kept by what they follow from';
COMMENT ON COLUMN read_model.answer.question IS 'Number of the question';
COMMENT ON COLUMN read_model.answer.definition IS 'SHA-256 of how it is answered: its file, the marts, the folds';
COMMENT ON COLUMN read_model.answer.parameters IS 'Values of all its parameters, by name';
COMMENT ON COLUMN read_model.answer.position IS 'The log is seen up to here';
COMMENT ON COLUMN read_model.answer.occurred_before IS 'What had happened by then, local to Brazil; infinity: all';
COMMENT ON COLUMN read_model.answer.erasures IS
    'Number of the newest row in refold that is no quarantined row''s: an erasure of what marts show makes it another one';
COMMENT ON COLUMN read_model.answer.rows IS 'The rows, each a list; ids in hexadecimal, dates in ISO form';
COMMENT ON COLUMN read_model.answer.finding IS 'What it says, in a sentence';
COMMENT ON COLUMN read_model.answer.named IS 'The people whose ids stand in the rows: who is erased takes the answer along';
COMMENT ON COLUMN read_model.answer.made_at IS 'When it was computed';
