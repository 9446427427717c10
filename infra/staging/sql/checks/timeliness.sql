-- name: approved_after_placed
SELECT count(*), count_if(approved_at < placed_at) FROM orders WHERE approved_at IS NOT NULL;

-- name: shipped_after_approved
SELECT count(*), count_if(shipped_at < approved_at) FROM orders WHERE shipped_at IS NOT NULL AND approved_at IS NOT NULL;

-- name: delivered_after_shipped
SELECT count(*), count_if(completed_at < shipped_at)
FROM orders WHERE completed_at IS NOT NULL AND shipped_at IS NOT NULL;

-- name: promised_after_placed
SELECT count(*), count_if(promised_by < placed_at) FROM orders WHERE promised_by IS NOT NULL;

-- name: ship_by_after_placed
SELECT count(*), count_if(ship_by < placed_at)
FROM order_items JOIN orders USING (order_id) WHERE ship_by IS NOT NULL;

-- name: reviewed_after_placed
SELECT count(*), count_if(created_at < date_trunc('day', placed_at)) FROM order_reviews JOIN orders USING (order_id);

-- name: answered_after_created
SELECT count(*), count_if(answered_at < created_at) FROM order_reviews WHERE answered_at IS NOT NULL;

-- name: answered_within_30_days
SELECT count(*), count_if(answered_at > created_at + INTERVAL 30 DAYS) FROM order_reviews WHERE answered_at IS NOT NULL;

-- name: placed_before_load
SELECT count(*), count_if(is_placed_too_late(placed_at)) FROM orders;

-- name: times_near_load
SELECT count(*), count_if(is_too_late(latest))
FROM (
    SELECT greatest(placed_at, approved_at, shipped_at, completed_at, promised_by) AS latest FROM orders
    UNION ALL SELECT ship_by FROM order_items WHERE ship_by IS NOT NULL
    UNION ALL SELECT greatest(created_at, answered_at) FROM order_reviews
);
