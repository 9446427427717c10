-- The reference lines of the families after place $after up to and with $up_to, by table, as COPY text with the load's
-- number before each line.
SELECT destination, string_agg($batch_seq::VARCHAR || chr(9) || line, chr(10)) AS lines
FROM work_reference
WHERE bucket BETWEEN $first AND $last AND place > $after AND place <= $up_to
GROUP BY destination
ORDER BY destination
