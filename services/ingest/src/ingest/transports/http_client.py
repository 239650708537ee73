"""The client for requests to sources and their hubs."""

from shared.http.client.guarded import ClientLimits, GuardedClient


def http_client(*, allow_private: bool) -> GuardedClient:
    """A client that follows a few redirects and has half a minute for each request."""
    return GuardedClient(
        allow_private=allow_private,
        limits=ClientLimits(total_s=30.0, connect_s=5.0, read_s=15.0, redirects=5, connections=50),
        headers={"User-Agent": "Slugline/0.1 (+ingest)", "Accept-Encoding": "gzip, deflate"},
    )
