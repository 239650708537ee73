"""A file of sources, and the environment that holds its keys."""

FILE = """
[[source]]
name = "north"
title = "North Wire"
key_env = ["NORTH_KEY", "NORTH_KEY_NEXT"]
silence_after_s = 600
[source.profile]
language = "en"
codes = { "a1312cat:s" = "medtop:15000000" }

[[source]]
name = "feed"
kind = "poll"
url = "https://feed.example/rss"
paused = true
"""


KEYS = {"NORTH_KEY": "one", "NORTH_KEY_NEXT": "two"}
