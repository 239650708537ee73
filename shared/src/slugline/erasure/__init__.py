"""Erasing a person: what is found, what is deleted, where it is gone, and until when it is elsewhere.

The services are not imported. What readers and enrich have goes by the public way, a takedown ordered on `updates.raw`; rows beside
that go by SQL, on the tables that `deploy/retention/README.md` lists and a test holds; pictures by `python -m enrich media-remove`.
"""
