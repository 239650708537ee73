"""Decoding and rendering of pictures, in confined processes."""
