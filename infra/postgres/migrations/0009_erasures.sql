-- Who is erased is asked by every load that keeps records apart: without looking at all events of people.

CREATE INDEX customer_erasure ON event_store.customer_events (originator_id)
    WHERE topic LIKE 'customer.CustomerAnonymized.%';
COMMENT ON INDEX event_store.customer_erasure IS 'The erasures of people';
