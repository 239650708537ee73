"""The text step, and what it does one after another."""
