"""Messages and rows that take their process down: how they are found, and passed over by the next process."""
