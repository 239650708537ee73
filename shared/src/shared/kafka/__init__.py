"""Kafka: the broker, the producer, the bare consumer, and CloudEvents in its headers."""
