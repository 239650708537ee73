"""What the stream counts."""

from prometheus_client import Counter, Gauge, Histogram

CONNECTIONS = Gauge("slugline_stream_connections", "Readers connected to the stream")
POLLS = Gauge("slugline_stream_polls", "Long polls that wait")
ACCEPTED = Counter("slugline_stream_accepted", "Streams opened")
REFUSED = Counter("slugline_stream_refused", "Streams refused before they began", ["reason"])
ENDED = Counter("slugline_stream_ended", "Streams ended", ["reason"])
DELIVERIES = Counter("slugline_stream_deliveries", "Events handed to readers' connections")
BYTES = Counter("slugline_stream_bytes", "Bytes of events handed to readers' connections")
WRITES = Counter("slugline_stream_writes", "Writes that carried events; fewer than deliveries where a burst coalesced")
EVICTIONS = Counter(
    "slugline_stream_evictions",
    "Readers cut off because they were too slow, took nothing, or too many were so",
    ["reason"],
)
RESETS = Counter("slugline_stream_resets", "Resets sent to readers", ["reason"])
REPLAYS = Counter("slugline_stream_replays", "Replays to readers who came back", ["origin"])
REPLAYED = Counter("slugline_stream_replayed_events", "Events replayed to readers who came back", ["origin"])
BLOCKED = Gauge("slugline_stream_blocked", "Readers who do not take what waits for them as fast as it comes")
WINDOW = Gauge("slugline_stream_window_events", "Events in memory for replays")
POSITION = Gauge("slugline_stream_position", "Offset of the newest event written to readers")
LAG = Gauge(
    "slugline_stream_lag_events", "Records between the newest that was taken from the log and the newest written"
)
TO_WRITTEN = Histogram(
    "slugline_stream_enriched_to_written_seconds",
    "From an event's enrichment to its write to the last of its readers",
    buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60),
)
