"""What looks like a secret, or is one of the settings, is in no line."""

import json
import time

import pytest
import structlog

from shared.observability.logs import configure_logging
from shared.observability.secrets import SecretMask, secrets_among
from shared.settings import Connections

KEY = "slk_" + "aB3_" * 11


@pytest.mark.parametrize(
    ("line", "without"),
    [
        (f"key {KEY} is wrong", "key [secret] is wrong"),
        ("secret whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "secret [secret]"),
        ("postgresql://slugline:pa:ss%2Fw@db:5432/x", "postgresql://slugline:[secret]@db:5432/x"),
        ("redis://:hunter2@redis:6379/0", "redis://:[secret]@redis:6379/0"),
        ("GET http://feed.example:8080/a?token=abcdef&n=1", "GET http://feed.example:8080/a?token=[secret]&n=1"),
        ("Authorization: Bearer abc.def-123", "Authorization: Bearer [secret]"),
        ('{"url":"https://x.example/f?api_key=zzzzzz"}', '{"url":"https://x.example/f?api_key=[secret]"}'),
        ("the id slk_short of http://127.0.0.1:8080/a@b", "the id slk_short of http://127.0.0.1:8080/a@b"),
        ("feed:token budget at 12:30, user@example.org", "feed:token budget at 12:30, user@example.org"),
    ],
)
def test_a_secret_is_known_by_how_it_looks(line: str, without: str) -> None:
    """And what is none stays."""
    assert SecretMask()(line) == without


def test_secrets_of_settings_are_known_by_their_values() -> None:
    """Wherever they turn up, in whatever form; a password in an address as it is written and as it is meant."""
    secrets = secrets_among(
        {
            "ingest_signing_secret": "master-of-all", "postgres_dsn": "postgresql://a:p%40ssword@b/c", "redis_url": "redis://r",
            "publish_push_purge_auth": "Basic dXNlcjpwYXNz", "publish_push_vapid_key": "0123456789", "log_level": "debug", "x_secret": "abc",
        }
    )  # fmt: skip
    assert secrets == {"master-of-all", "p%40ssword", "p@ssword", "Basic dXNlcjpwYXNz", "0123456789"}
    mask = SecretMask(secrets)
    assert mask("a p@ssword and master-of-all, 0123456789!") == "a [secret] and [secret], [secret]!"


def test_hostile_lines_take_linear_time() -> None:
    """A line may hold what a stranger sent."""
    mask = SecretMask({"secret-value"})
    started = time.perf_counter()
    for part in ("://a:", "Bearer ", "token=", "slk_", "a:", "&password=x", "://:@"):
        mask(part * 50_000)
    assert time.perf_counter() - started < 3


def test_the_lines_of_a_process_are_masked(capsys: pytest.CaptureFixture[str]) -> None:
    """What it logs itself, what a library logs, and a traceback."""
    settings = Connections(postgres_dsn="postgresql://slugline:planted-1@db/x", log_level="debug")
    configure_logging(settings, "test")
    try:
        raise ValueError(f"planted-1 in {KEY}")
    except ValueError:
        structlog.get_logger().exception("away", url="http://u:planted-2@h/?token=planted-3")
    import logging  # noqa: PLC0415

    logging.getLogger("library").warning("cannot reach %s with %s", "http://u:planted-4@h/", KEY)
    lines = capsys.readouterr().err
    structlog.reset_defaults()
    assert "planted" not in lines
    assert KEY not in lines
    assert next(json.loads(line)["event"] for line in lines.splitlines()) == "away"
    assert lines.count("[secret]") >= 6
