"""The web answers: pages, API, feeds and streams, from memory that follows the log."""
