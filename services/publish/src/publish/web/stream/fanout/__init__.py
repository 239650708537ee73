"""The walk over the readers' sockets, and the readers who fall behind it."""
