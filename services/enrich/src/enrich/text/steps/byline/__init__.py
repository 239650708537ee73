"""Bylines: the words they are written with, their names, and the parser."""
