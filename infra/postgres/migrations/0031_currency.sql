-- In which currency the amounts of a warehouse are: that of the first load that stands. Readers see no loads, and this.

CREATE VIEW read_model.currency WITH (security_barrier = true) AS
    SELECT coalesce(source ->> 'currency', 'BRL') AS code
    FROM event_store.batch
    WHERE kind = 'load' AND status IN ('open', 'completed')
    ORDER BY batch_seq
    LIMIT 1;
COMMENT ON VIEW read_model.currency IS 'The currency of all amounts, by the first load that stands; no row before it';
COMMENT ON COLUMN read_model.currency.code IS 'Three letters of ISO 4217';
