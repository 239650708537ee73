"""Refreshes: what has changed concerns updates, they stand in line, and are sent at a pace that delays no live copy."""
