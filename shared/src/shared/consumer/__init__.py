"""A stage's way through one topic: batches, offsets, retries, isolation of poison messages, dead letters, health."""
