"""Slugline on one machine without containers: servers as local processes, and every service as its own process."""
