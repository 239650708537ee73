"""`slugline audit`: who changed what, and whether the log of it is whole."""
