SELECT main_category AS category, CAST(count(*) AS INTEGER) AS customers,
    q_pct(count(*), sum(count(*)) OVER ()) AS share_pct, q_mean(value) AS avg_first_order
FROM q.orders
WHERE order_no = 1 AND item_count > 0
GROUP BY main_category
ORDER BY customers DESC, category;
