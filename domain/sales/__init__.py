"""Sales: orders, their lines and payments, from placing to delivery or cancellation."""
