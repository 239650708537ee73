"""When a server asks to be asked again."""

import time
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime

LONGEST_S = 86_400.0


def retry_after_s(
    headers: Mapping[str, str], *, longest_s: float = LONGEST_S, now: float | None = None
) -> float | None:
    """Seconds that `Retry-After` asks to wait, from a number or a date (RFC 9110, section 10.2.3), a day at most.

    None where it says nothing usable. `headers` finds names in any case; `now` is seconds since the epoch.
    """
    value = headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdigit():
        return min(float(value[:12]), longest_s)
    try:
        moment = parsedate_to_datetime(value)
        # A date without a zone (`-0000`) is UTC.
        wait_s = moment.replace(tzinfo=moment.tzinfo or UTC).timestamp() - (time.time() if now is None else now)
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(wait_s, 0.0), longest_s)
