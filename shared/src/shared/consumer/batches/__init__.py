"""From a batch of records to its effects: in order, isolated from poison messages, read again after a failure."""
