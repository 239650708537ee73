"""References and tags that were written for other systems, read."""
