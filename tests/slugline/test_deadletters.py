"""Dead letters: what is kept of one, which are meant, what is sent back, and that none is sent twice by mistake."""

import base64
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.consumer.dead_letters import ATTEMPT, attempt_of, dead_letter
from shared.consumer.decode import Rejection, header_of
from shared.failures import Invalid
from shared.kafka.producer import Producer
from shared.messages import DeadLetter
from shared.settings import Connections
from shared.streams import ENRICHED, RAW
from slugline.deadletters.arguments import moment
from slugline.deadletters.letters import Filters, LetterId, find, letter_of, read_one
from slugline.deadletters.replay import REPLAY_OF, close, headers_of, replay
from slugline.servers import kafka_reader
from support.in_memory import record_of
from support.topics import emitting, everything_in, raw_update

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
UPDATE = "a" * 26
VALUE = b'{"source": "wire", "update_id": "%s"}' % UPDATE.encode()


def dead(
    value: bytes = VALUE, key: bytes = b"wire", ce_id: str = f"{UPDATE}:{'0' * 32}", reason: str = "broken"
) -> DeadLetter:
    """A dead letter of enrich text."""
    record = record_of(value, offset=7, partition=3, key=key, ce_id=ce_id)
    return dead_letter("enrich.text", Rejection(record, Invalid(reason, field="/headline")), NOW)


def test_a_letter_tells_whose_it_is_as_far_as_its_message_says() -> None:
    """By what it says, else by its id and key; a message that is not even JSON has a source still."""
    letter = letter_of(RAW, 5, dead())
    assert (str(letter.id), letter.source, letter.update_id, letter.stage) == (
        "updates.raw@5",
        "wire",
        UPDATE,
        "enrich.text",
    )
    broken = letter_of(RAW, 5, dead(b"{", ce_id=""))
    assert (broken.source, broken.update_id) == ("wire", "")
    named = letter_of(ENRICHED, 5, dead(b"{", key=UPDATE.encode(), ce_id=f"{UPDATE}:3"))
    assert (named.source, named.update_id) == ("", UPDATE)


def test_letters_are_chosen_by_all_that_is_given() -> None:
    """Topic, stage, reason with its field, source, update and time."""
    letter = letter_of(RAW, 5, dead())
    assert Filters().match(letter)
    assert Filters(stage="enrich.text", reason="HEADLINE bro", source="wire", update_id=UPDATE, since=NOW).match(letter)
    for other in (
        Filters(stage="publish.archive"), Filters(reason="late"), Filters(source="desk"), Filters(update_id="b" * 26),
        Filters(since=NOW + timedelta(seconds=1)), Filters(until=NOW), Filters(ids=frozenset([LetterId("updates.raw", 6)])),
    ):  # fmt: skip
        assert not other.match(letter)
    assert Filters(ids=frozenset([LetterId("updates.raw", 5)])).wanted_topics == ["updates.raw"]


def test_ids_and_moments_are_read_as_they_are_printed_and_nothing_else() -> None:
    """A slip of the pen chooses nothing."""
    assert LetterId.parse("updates.raw@17") == LetterId("updates.raw", 17)
    for wrong in ("updates.raw", "updates.raw@x", "no.topic@1", "updates.raw@-1", ""):
        with pytest.raises(ValueError, match="TOPIC@OFFSET"):
            LetterId.parse(wrong)
    assert moment("2h", NOW) == NOW - timedelta(hours=2)
    assert moment("2026-11-28T11:00", NOW) == NOW - timedelta(hours=1)
    for wrong in ("h", "2x", "yesterday", "-2h"):
        with pytest.raises(ValueError):
            moment(wrong, NOW)


def test_a_replay_carries_its_own_headers_and_says_what_it_is() -> None:
    """Once, however often it was tried; what a header of anybody says is no number."""
    headers = dict(headers_of(replace_attempt(dead(), 2), LetterId("updates.raw", 5)))
    assert headers[ATTEMPT] == b"3"
    assert headers[REPLAY_OF] == b"updates.raw@5"
    assert headers["ce_id"] == f"{UPDATE}:{'0' * 32}".encode()
    record = record_of(b"{}", ce_id="x")
    assert attempt_of(record) == 1
    for said, meant in ((b"4", 4), (b"x", 1), ("٣".encode(), 1), (b"9999999", 1), (b"", 1)):
        assert attempt_of(replace(record, headers=((ATTEMPT, said),))) == meant


def replace_attempt(letter: DeadLetter, attempt: int) -> DeadLetter:
    """The same letter, tried more often, with the headers of a replay."""
    headers = (*letter.headers, (ATTEMPT, base64.b64encode(b"2").decode()))
    return letter.model_copy(update={"attempt": attempt, "headers": headers})


async def send_letters(producer: Producer, letters: list[DeadLetter]) -> None:
    """Put letters on the topic of the dead."""
    for each in letters:
        await (await producer.send(RAW.dead_letters, each, key=each.key or "", event_id="x"))


@pytest.mark.integration
async def test_letters_are_found_sent_back_and_closed(newsroom: Connections) -> None:
    """On a real Kafka: what was sent back is on its topic with its key, and neither found nor sent again."""
    update = raw_update("g").model_dump_json().encode()
    cut = dead(reason="cut").model_copy(update={"whole": False, "topic": newsroom.topic_prefix + RAW.name, "partition": 0, "offset": 99})  # fmt: skip
    async with emitting(newsroom) as producer, kafka_reader(newsroom) as reader:
        await send_letters(producer, [dead(update), dead(b"{", reason="other"), cut])
        await (await producer.send_bytes(RAW.dead_letters, b"no letter", key=b"", headers=[]))
        found = await find(newsroom, reader, Filters(reason="broken"))
        assert [str(each.id) for each in found.letters] == ["updates.raw@0"]
        assert found.unreadable == 1
        everything = await find(newsroom, reader, Filters())
        done = await replay(newsroom, reader, producer, everything.letters, per_s=5_000, by="ada", at=lambda: NOW)
        assert [str(each) for each in done.sent] == ["updates.raw@0", "updates.raw@1"]
        assert list(done.refused) == ["updates.raw@2"]
        assert [str(each.id) for each in (await find(newsroom, reader, Filters())).letters] == ["updates.raw@2"]
        closed = (await find(newsroom, reader, Filters(closed=True))).letters
        assert [each.closed.how if each.closed else "open" for each in closed] == ["replayed", "replayed", "open"]
        await close(producer, everything.letters[2:], how="dropped", by="ada", at=NOW, reason="too old")
        assert (await find(newsroom, reader, Filters())).letters == []
        assert (await find(newsroom, reader, Filters(), most_records=1)).more
        whole = await read_one(newsroom, reader, LetterId("updates.raw", 1))
        assert whole is not None
        assert base64.b64decode(whole.payload) == b"{"
        assert await read_one(newsroom, reader, LetterId("updates.raw", 3)) is None
        assert await read_one(newsroom, reader, LetterId("updates.raw", 77)) is None
    records = await everything_in(newsroom, RAW)
    assert sorted((each.value, each.key, header_of(each, REPLAY_OF)) for each in records) == sorted(
        [(update, b"wire", "updates.raw@0"), (b"{", b"wire", "updates.raw@1")]
    )
