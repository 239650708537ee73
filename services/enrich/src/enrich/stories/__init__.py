"""`enrich gather`: updates of several agencies that report one event become one story."""
