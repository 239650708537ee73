"""What stands around the text of real copy: who wrote it, notes to desks, sign-offs, the same said twice. Pure functions."""
