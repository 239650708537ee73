"""What watches a running newsroom from every side, and keeps all that it has seen."""
