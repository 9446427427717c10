-- The reference lines of the families after a place up to and with another, by table, as COPY text with the load's
-- number before each line.
SELECT destination, string_agg($batch_seq::VARCHAR || chr(9) || line, chr(10)) AS lines
FROM work_reference
WHERE bucket BETWEEN $first AND $last
    AND (bucket > $first OR kind > $first_kind OR (kind = $first_kind AND family > $first_family))
    AND (bucket < $last OR kind < $last_kind OR (kind = $last_kind AND family <= $last_family))
GROUP BY destination
ORDER BY destination
