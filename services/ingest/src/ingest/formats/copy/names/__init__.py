"""Who is named: what can be a person's name, and who wrote a text."""
