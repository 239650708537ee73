"""Faults: what may happen to processes, servers and the network between them, each with a proof that it fired."""
