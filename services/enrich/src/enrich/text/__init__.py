"""`enrich text`: the only writer of revisions."""
