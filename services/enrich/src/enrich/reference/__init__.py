"""Reference data that updates are read with: authors, Media Topics, names and their inflections."""
