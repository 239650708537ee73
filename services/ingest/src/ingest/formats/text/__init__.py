"""Plain text, and the text formats of the teleprinter age."""
