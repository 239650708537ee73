"""`ingest poll`: feeds that are fetched again and again, each by one replica at a time."""
