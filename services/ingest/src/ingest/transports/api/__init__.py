"""`ingest api`: copy that is pushed, the desk's orders, and where an item is now."""
