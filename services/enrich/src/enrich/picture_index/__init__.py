"""The media index as enrich text reads it: which pictures an update has, under which words, and which may not be shown."""
