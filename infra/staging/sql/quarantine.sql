-- Records kept apart (R4), each with the first rule that it breaks: its own problems, then what the log knows otherwise,
-- then a missing order. What comes of several records with the same key is settled afterwards, among the good ones.

INSERT INTO quarantine
SELECT file, line, lines, record, problem.rule, problem.reason
FROM (
    SELECT 'customers' AS file, line, lines, record, problem FROM read_customers
    UNION ALL SELECT 'geolocation', line, lines, record, problem FROM geolocation
    UNION ALL SELECT 'order_items', line, lines, record, problem FROM read_order_items
    UNION ALL SELECT 'order_payments', line, lines, record, problem FROM read_order_payments
    UNION ALL SELECT 'order_reviews', line, lines, record, problem FROM read_order_reviews
    UNION ALL SELECT 'orders', line, lines, record, problem FROM read_orders
    UNION ALL SELECT 'products', line, lines, record, problem FROM read_products
    UNION ALL SELECT 'sellers', line, lines, record, problem FROM read_sellers
    UNION ALL SELECT 'categories', line, lines, record, problem FROM read_categories
)
WHERE problem IS NOT NULL;

DELETE FROM geolocation WHERE problem IS NOT NULL;
ALTER TABLE geolocation DROP COLUMN problem;

INSERT INTO quarantine
SELECT 'customers', line, lines, record, 'aliases_keep_person',
    'customer_unique_id is not that which the customer_id belongs to since an earlier load'
FROM read_customers AS customers
JOIN known_alias AS known USING (customer_alias)
WHERE problem IS NULL AND known.customer_id <> customers.customer_id;

INSERT INTO quarantine
SELECT 'orders', line, lines, record,
    CASE WHEN known.customer_alias <> orders.customer_alias THEN 'orders_keep_customer' ELSE 'statuses_go_up' END,
    CASE WHEN known.customer_alias <> orders.customer_alias
        THEN 'order ' || order_id || ' is of customer_id ' || known.customer_alias || ' since an earlier load, not of '
            || orders.customer_alias
        ELSE 'order ' || order_id || ' is ' || known.status || ' since an earlier load and cannot become '
            || orders.status
    END
FROM read_orders AS orders
JOIN known_order AS known USING (order_id)
WHERE problem IS NULL
    AND (known.customer_alias <> orders.customer_alias
         OR rank_of(orders.status) < rank_of(known.status)
         OR rank_of(known.status) = 5 AND orders.status <> known.status);

-- An order that the log knows keeps its items, payments and reviews, whatever is wrong with its new row.

CREATE TEMP TABLE usable_order AS
SELECT order_id
FROM read_orders AS orders
ANTI JOIN (SELECT record FROM quarantine WHERE file = 'orders') AS bad USING (record)
UNION
SELECT order_id FROM known_order;

CREATE TEMP TABLE refused_order AS
SELECT DISTINCT order_id, true AS is_refused
FROM read_orders AS orders
ANTI JOIN usable_order USING (order_id)
WHERE order_id IS NOT NULL;

INSERT INTO quarantine
SELECT file, line, lines, record,
    CASE WHEN is_refused THEN 'orders_not_quarantined' ELSE 'orders_known' END,
    CASE file WHEN 'order_reviews' THEN 'order_id is of an order that' ELSE 'order ' || order_id END
        || CASE WHEN is_refused THEN ' is quarantined itself, and no earlier load has it'
                ELSE ' is neither in this extract nor in an earlier load' END
FROM (
    SELECT 'order_items' AS file, line, lines, record, order_id FROM read_order_items WHERE problem IS NULL
    UNION ALL SELECT 'order_payments', line, lines, record, order_id FROM read_order_payments WHERE problem IS NULL
    UNION ALL SELECT 'order_reviews', line, lines, record, order_id FROM read_order_reviews WHERE problem IS NULL
) AS part
ANTI JOIN usable_order USING (order_id)
LEFT JOIN refused_order USING (order_id);
