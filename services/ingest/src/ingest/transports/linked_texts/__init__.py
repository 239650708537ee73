"""Texts that sources send as links, fetched with their keys: part of the process `ingest poll`."""
