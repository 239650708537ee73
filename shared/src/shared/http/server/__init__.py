"""The HTTP server of a process: accepting, limits and serving."""
