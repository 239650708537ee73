"""Writing to all readers' sockets, and the readers who fall behind."""
