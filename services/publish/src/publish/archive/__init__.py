"""The archive: every revision of every update in Postgres, the epochs of the log, and the positions of updates."""
