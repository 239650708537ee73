"""Purges of a CDN or a cache by surrogate key."""
