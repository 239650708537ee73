"""Votes of polls: counted in Redis, settled in Postgres. By ids alone: no word of a source is here."""
