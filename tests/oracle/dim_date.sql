-- shared.dim_date: R15 to R17. Holidays come from expected.py.

CREATE SCHEMA shared;

CREATE TABLE shared.dim_date AS
WITH days AS (
    SELECT CAST(unnest(generate_series(
        TIMESTAMP '2016-01-01', make_timestamp(last_year, 12, 31, 0, 0, 0), INTERVAL 1 DAY)) AS DATE) AS date
    FROM reading.calendar_end
)
SELECT
    date_key_of(date) AS date_key,
    date,
    CAST(year(date) AS INTEGER) AS year,
    CAST(quarter(date) AS INTEGER) AS quarter,
    CAST(month(date) AS INTEGER) AS month,
    monthname(date) AS month_name,
    strftime(date, '%Y-%m') AS year_month,
    CAST(week(date) AS INTEGER) AS week,
    CAST(day(date) AS INTEGER) AS day_of_month,
    CAST(isodow(date) AS INTEGER) AS day_of_week,
    dayname(date) AS day_name,
    isodow(date) >= 6 AS is_weekend,
    day(date) = 1 AS is_month_start,
    date = last_day(date) AS is_month_end,
    holiday_name IS NOT NULL AS is_holiday,
    holiday_name
FROM days LEFT JOIN reading.holiday USING (date);
