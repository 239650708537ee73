"""The one reading of `Retry-After`."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from shared.http.client.retry_after import retry_after_s

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120),
        (" 120 ", 120),
        ("99999999999999999", 86_400),
        (format_datetime(NOW + timedelta(minutes=5), usegmt=True), 300),
        (format_datetime(NOW + timedelta(minutes=5)).replace("+0000", "-0000"), 300),
        (format_datetime(NOW - timedelta(minutes=5), usegmt=True), 0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 86_400),
        ("", None),
        ("soon", None),
        ("-1", None),
        ("1.5", None),
        ("\u0661", None),
    ],
)
def test_seconds_and_dates(value: str, seconds: float | None) -> None:
    """Both forms are understood, nonsense asks for nothing and the past for no pause, a day is the most."""
    assert retry_after_s({"Retry-After": value}, now=NOW.timestamp()) == seconds


def test_limit_is_the_callers() -> None:
    """Who retries for an hour waits no day."""
    assert retry_after_s({"Retry-After": "7200"}, longest_s=3600) == 3600
    assert retry_after_s({}) is None
