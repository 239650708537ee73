"""One document's way: receive, keep the original, read, deduplicate, emit, record."""
