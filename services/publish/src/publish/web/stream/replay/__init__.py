"""What a reader missed: from memory piece by piece, and from the archive."""
