-- How cells are read (R3), why one cannot be, and what makes two records the same.
-- All casts are guarded by a full match: DuckDB's own casts take blanks, 24:00:00, years BC and much more.

CREATE TEMP MACRO as_id(cell) AS
    CASE WHEN regexp_full_match(cell, '[0-9a-fA-F]{32}') THEN TRY_CAST(cell AS UUID) END;

-- A date alone is its midnight; a T for the blank and a fraction of zeros say the same.

CREATE TEMP MACRO as_time(cell) AS
    CASE WHEN regexp_full_match(cell, '[0-9]{4}-[0-9]{2}-[0-9]{2}([ T]([01][0-9]|2[0-3])(:[0-5][0-9]){2}(\.0+)?)?')
              AND cell >= '0001' THEN TRY_CAST(replace(left(cell, 19), 'T', ' ') AS TIMESTAMP) END;

CREATE TEMP MACRO as_whole(cell) AS
    CASE WHEN regexp_full_match(cell, '-?[0-9]{1,9}(\.0+)?') THEN TRY_CAST(split_part(cell, '.', 1) AS INTEGER) END;

CREATE TEMP MACRO as_money(cell) AS
    CASE WHEN regexp_full_match(cell, '[0-9]{1,10}(\.[0-9]{1,2})?') THEN TRY_CAST(cell AS DECIMAL(12, 2)) END;

CREATE TEMP MACRO as_zip(cell) AS
    CASE WHEN regexp_full_match(cell, '[0-9]{1,5}') THEN lpad(cell, 5, '0') END;

CREATE TEMP MACRO as_postcode(cell) AS
    CASE WHEN regexp_full_match(cell, ' *[0-9A-Za-z]([0-9A-Za-z -]{0,8}[0-9A-Za-z])? *') THEN upper(trim(cell, ' ')) END;

CREATE TEMP MACRO as_degrees(cell) AS
    CASE WHEN regexp_full_match(cell, '-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?')
              AND isfinite(TRY_CAST(cell AS DOUBLE)) THEN TRY_CAST(cell AS DOUBLE) END;

-- A problem is the rule that a record breaks, and a sentence for people. The sentence is not encrypted as the record's
-- text is, so of a file with personal fields (customers, order_reviews) it quotes no cell, of whatever column: in a
-- record that is shifted a comment may stand anywhere.

CREATE TEMP MACRO problem(rule, reason) AS {'rule': rule, 'reason': reason};

CREATE TEMP MACRO empty(column_name) AS
    problem('required_cells_filled', column_name || ' is empty');

CREATE TEMP MACRO unreadable(column_name, cell, wanted) AS
    problem('values_readable', column_name || ' is "' || left(cell, 60) || '", not ' || wanted);

CREATE TEMP MACRO unreadable_unquoted(column_name, wanted) AS
    problem('values_readable', column_name || ' is not ' || wanted);

CREATE TEMP MACRO not_a_status(column_name, cell) AS
    problem('statuses_known', column_name || ' is "' || left(cell, 60) || '", none of the eight');

CREATE TEMP MACRO not_a_score(column_name) AS problem('scores_in_range', column_name || ' is not 1 to 5');

CREATE TEMP MACRO an_id() AS '32 hexadecimal digits';
CREATE TEMP MACRO a_time() AS 'a real time YYYY-MM-DD hh:mm:ss';
CREATE TEMP MACRO a_whole_number() AS 'a whole number of at most 9 digits';
CREATE TEMP MACRO an_amount() AS 'an amount with at most 10 digits before the point and 2 after it';
CREATE TEMP MACRO a_zip_prefix() AS 'one to five digits';
CREATE TEMP MACRO a_postcode() AS 'one to ten letters and digits';
CREATE TEMP MACRO a_decimal_number() AS 'a decimal number';

CREATE TEMP MACRO is_unreadable(cell, value) AS cell IS NOT NULL AND value IS NULL;

-- Canonical text of a value: the same however it was written; empty if there is none, as no cell is an empty text.
-- Values are joined with NUL, which no readable file contains, so different records never join to the same text.

CREATE TEMP MACRO canonical(value) AS coalesce(CAST(value AS VARCHAR), '');
CREATE TEMP MACRO canonical_id(cell) AS coalesce(lower(cell), '');
CREATE TEMP MACRO fingerprint_of(joined) AS CAST(md5(joined) AS UUID);

-- Halves of an md5_number: md5_number_lower and md5_number_upper say the same, each hashing anew, and several times as slowly.

CREATE TEMP MACRO upper_half(digest) AS CAST(digest >> 64 AS UBIGINT);
CREATE TEMP MACRO lower_half(digest) AS CAST(digest & 18446744073709551615 AS UBIGINT);

-- Of an optional column by itself, in the record of that key; the zero UUID where its cell is empty.

CREATE TEMP MACRO nothing() AS '00000000-0000-0000-0000-000000000000'::UUID;
CREATE TEMP MACRO part_fingerprint(key, canonical_value, is_empty) AS
    CASE WHEN is_empty THEN nothing() ELSE fingerprint_of(concat_ws(chr(0), replace(CAST(key AS VARCHAR), '-', ''), canonical_value)) END;

-- Keys: the id itself where a file has one of its own, else the fingerprint of the natural key. One macro a file.

CREATE TEMP MACRO key_of_customer(customer_alias) AS customer_alias;
CREATE TEMP MACRO key_of_area(zip_prefix) AS fingerprint_of(zip_prefix);
CREATE TEMP MACRO key_of_item(order_id, item_no) AS
    fingerprint_of(concat_ws(chr(0), canonical_id(order_id), canonical(item_no)));
CREATE TEMP MACRO key_of_payment(order_id, payment_no) AS
    fingerprint_of(concat_ws(chr(0), canonical_id(order_id), canonical(payment_no)));
CREATE TEMP MACRO key_of_review(review_id, order_id) AS
    fingerprint_of(concat_ws(chr(0), canonical_id(review_id), canonical_id(order_id)));
CREATE TEMP MACRO key_of_order(order_id) AS order_id;
CREATE TEMP MACRO key_of_product(product_id) AS product_id;
CREATE TEMP MACRO key_of_seller(seller_id) AS seller_id;
CREATE TEMP MACRO key_of_category(category) AS fingerprint_of(category);

-- Status ranks of an order: it only goes up (domain, Sales).

CREATE TEMP MACRO rank_of(status) AS
    CASE status WHEN 'created' THEN 0 WHEN 'approved' THEN 1 WHEN 'invoiced' THEN 2 WHEN 'processing' THEN 2
                WHEN 'shipped' THEN 3 WHEN 'delivered' THEN 4 WHEN 'canceled' THEN 5 WHEN 'unavailable' THEN 5 END;

-- Times too late to be true, by the day on which the load was opened (R5); null where that day is not told.

CREATE TEMP MACRO is_placed_too_late(placed_at) AS placed_at::DATE > getvariable('opened_on')::DATE + 1;
CREATE TEMP MACRO is_too_late(moment) AS moment::DATE > getvariable('opened_on')::DATE + INTERVAL 2 YEARS;

-- Words that programs write for nothing. In a text they stay as they are (R5).

CREATE TEMP MACRO is_word_for_nothing(text) AS text IN ('NULL', 'NaN', 'nan', 'NaT', 'None', '\N', 'N/A');
