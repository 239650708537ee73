"""From the log to a replica's memory and streams."""
