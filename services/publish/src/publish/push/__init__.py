"""Push: what leaves the newsroom by itself: webhooks, WebSub, alerts to browsers and phones, purges of a CDN.

Nothing leaves before the archive has it and the page, the API and the cache answer with it (`readable.py`); what is to
leave is written down in Postgres first, so that a crash loses nothing.
"""
