"""HTML bodies: made of XML copy, and kept within what parsers and pages can bear."""
