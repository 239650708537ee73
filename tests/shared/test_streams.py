"""The streams: whatever is consumed has dead letters that `topics apply` creates, and the document tells of all that is public."""

import pytest

from shared.asyncapi import asyncapi_document
from shared.consumer.consumer import Consumer
from shared.streams import DECLARED, OUTCOMES, PUSH_BATCHES, RAW, STREAMS, Stream
from support.in_memory import SETTINGS, RecordingProducer


def test_every_stream_that_is_consumed_has_dead_letters_that_are_created() -> None:
    """One message that cannot be read must not block its consumer for ever."""
    created = {stream.name for stream in STREAMS}
    assert {stream.name for stream in DECLARED if stream.receivers} == {stream.name for stream in DECLARED}
    assert {f"{stream.name}.dead" for stream in DECLARED} | {stream.name for stream in DECLARED} == created
    assert {OUTCOMES.dead_letters, PUSH_BATCHES.dead_letters} <= set(STREAMS)


def test_nothing_consumes_a_stream_without_dead_letters() -> None:
    """Nor private messages of which it does not know the types."""
    for stream in (RAW.dead_letters, Stream("unread", 1, 1, "nobody reads it"), PUSH_BATCHES):
        with pytest.raises(ValueError, match=r"nobody consumes|private messages"):
            Consumer(stage="test", stream=stream, handle=None, producer=RecordingProducer(), settings=SETTINGS)  # type: ignore[arg-type]


def test_the_asyncapi_document_is_of_the_table() -> None:
    """Every public stream is a channel, with its partitions, its messages, who sends and who receives."""
    document = asyncapi_document("1")
    public = [stream for stream in STREAMS if stream.messages]
    assert set(document["channels"]) == {stream.name for stream in public}
    for stream in public:
        channel = document["channels"][stream.name]
        assert channel["bindings"]["kafka"]["partitions"] == stream.partitions
        assert set(channel["messages"]) == {message.__name__ for message in stream.messages}
        for message in stream.messages:
            assert message.__name__ in document["components"]["schemas"]
    assert {"ingest.send.updates.raw", "enrich.receive.updates.raw", "ingest.send.updates.outcomes.dead"} <= set(
        document["operations"]
    )
