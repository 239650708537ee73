"""Push: webhooks, WebSub, alerts to browsers and phones, and purges of a CDN.

Nothing is sent before the archive has it and the page, the API and the cache answer with it (`readiness.py`). Deliveries are
queued in Postgres first, so that a crash loses nothing.
"""
