"""Versions of updates for tests."""

from datetime import UTC, datetime, timedelta
from typing import Any

from shared.messages import Order, RawUpdate, update_id_for

NINE = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def minute(number: float) -> datetime:
    """So many minutes after nine."""
    return NINE + timedelta(minutes=number)


def version(
    number: int = 1, *, guid: str = "g1", source: str = "pa", at: float | None = None, **said: Any
) -> RawUpdate:
    """The version of that number, made and received that many minutes after nine."""
    moment = minute(number if at is None else at)
    return RawUpdate(
        **{
            "update_id": update_id_for(source, guid),
            "source": source,
            "guid": guid,
            "version": str(number),
            "version_created": moment,
            "received_at": moment,
            "headline": f"Ministers meet for the {number}. time",
            "body_html": f"<p>They met {number} times, an official said.</p>",
            "language": "en",
            **said,
        }
    )


def order(name: Any, at: float, *, guid: str = "g1", source: str = "pa", **said: Any) -> Order:
    """A desk's order, so many minutes after nine."""
    return Order(
        **{"update_id": update_id_for(source, guid), "order": name, "by": "desk", "ordered_at": minute(at), **said}
    )
