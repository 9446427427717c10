-- What later loads look up of the families after a place up to and with another, as rows of binary COPY: $of_record and
-- $of_pair are what a row begins with, which has a file or has none.
SELECT
    destination,
    CASE WHEN file IS NULL THEN $of_pair::BLOB
         ELSE $of_record::BLOB || '\x00\x00\x00'::BLOB || encode(chr(strlen(file)::INT)) || encode(file) END
    || '\x00\x00\x00\x10'::BLOB || key::BLOB || '\x00\x00\x00\x10'::BLOB || value::BLOB AS row
FROM work_lookup
WHERE bucket BETWEEN $first AND $last
    AND (bucket > $first OR kind > $first_kind OR (kind = $first_kind AND family > $first_family))
    AND (bucket < $last OR kind < $last_kind OR (kind = $last_kind AND family <= $last_family))
