"""Processes that parse large documents, so that no document holds up the others."""
