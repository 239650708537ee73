"""What the services agree on: message contracts, the topic table, and plumbing that is identical in each."""
