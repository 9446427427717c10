-- A prefix may hold what was folded from the topics of another warehouse: its positions are not those of this log.

ALTER TABLE read_model.prefix ADD COLUMN store text;
COMMENT ON COLUMN read_model.prefix.store IS
    'The log that it was folded from, by the chain of its first commit (hexadecimal; empty if not known); null: this one';
