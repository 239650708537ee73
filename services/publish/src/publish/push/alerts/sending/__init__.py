"""From a decided alert to its readers' devices: batches on Kafka, sending, retries, digests, and their results."""
