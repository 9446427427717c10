"""Kafka: a broker for trying out, the topics, the relay that publishes the log there, and what reads it back."""
