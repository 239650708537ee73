"""Fixtures that every ring shares: real servers, and on them a newsroom of its own for each test."""

from support.servers import newsroom, servers

__all__ = ["newsroom", "servers"]
