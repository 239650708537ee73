"""What a text ends with that is not part of it."""
