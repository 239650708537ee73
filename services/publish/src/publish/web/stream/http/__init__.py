"""The stream over HTTP: from an accepted connection to a reader, and polls for clients that cannot stream."""
