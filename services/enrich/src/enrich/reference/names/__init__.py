"""What the words around a name say for and against it."""
