"""`slugline where`: one update, from its receipt to every place where readers could read it."""
