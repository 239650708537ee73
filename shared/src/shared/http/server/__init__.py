"""The HTTP port of a process: who is accepted, within which bounds, and how it is served."""
