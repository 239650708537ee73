"""Proof of a kill, sink by sink."""
