"""Proof that what was killed is gone, sink by sink: the sinks, the proof that keeps looking, and its command."""
