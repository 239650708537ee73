"""The web edge: pages, API, feeds and streams, from memory that follows the log."""
