"""Processes that work on strangers' bytes for another one: each may hang, crash or be killed, and only its job is lost."""
