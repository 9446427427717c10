-- In which of the 256 buckets a family stands: the first byte of its MD5, which is the lowest one of the number that DuckDB
-- makes of it. The plan works it out once for each order and zip prefix, not for each of their rows.

CREATE OR REPLACE MACRO bucket_of(family) AS (md5_number(family::VARCHAR) & 255)::INT;
