"""Consuming a stream: batches, offsets, retries, isolation of poison messages, dead letters, health; one file each."""
