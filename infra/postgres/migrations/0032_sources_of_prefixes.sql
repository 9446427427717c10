-- A prefix may show one source alone.

ALTER TABLE read_model.prefix ADD COLUMN source text;
COMMENT ON COLUMN read_model.prefix.source IS 'The source whose loads alone it shows; null: all of them';
