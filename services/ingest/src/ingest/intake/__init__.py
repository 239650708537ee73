"""A document's way, whatever it came by: receive, keep the original, read, deduplicate, emit, record."""
