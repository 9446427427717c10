"""Apache Kafka without a container: one node from Maven's artifacts, for trying out and for the tests."""
