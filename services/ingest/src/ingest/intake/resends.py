"""Documents that were refused and are sent again as they are: a sender that tries every second leaves one original, not thousands.

Kept in memory, since what is refused is refused by this process: another replica, and one that starts again, keeps an original of
its own.
"""

import time
import uuid
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TypeAlias

from ingest.intake.deadline import Unavailable
from ingest.intake.originals import Original
from ingest.intake.receipt import DocumentRejected, Receipt

REMEMBERED = 10_000
"""Documents; the one that was refused first is forgotten first."""
REMEMBERED_S = 600.0
"""Since it was refused last."""

_Key: TypeAlias = tuple[str, str, str, str | None, str | None]


@dataclass(frozen=True, slots=True)
class _Refusal:
    original_id: uuid.UUID
    at: float


class Resends:
    """The originals of the documents that were refused last. `clock` counts seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._refused: OrderedDict[_Key, _Refusal] = OrderedDict()

    def as_before(self, original: Original, sha256: str) -> Original:
        """The document under the id under which it was kept when it was refused before; else as it is."""
        refusal = self._refused.get(_key(original, sha256))
        if refusal is None or self._clock() - refusal.at > REMEMBERED_S:
            return original
        return replace(original, id=refusal.original_id)

    @contextmanager
    def watching(self, original: Original, sha256: str) -> Iterator[Callable[[Receipt], Receipt]]:
        """Remember the document if what the block does with it, or the receipt that it is told of, refuses it all."""
        refused = False

        def told(receipt: Receipt) -> Receipt:
            nonlocal refused
            refused = bool(receipt.results) and not receipt.count("accepted", "duplicate")
            return receipt

        try:
            yield told
        except (Unavailable, DocumentRejected):
            refused = True
            raise
        finally:
            self._remember(_key(original, sha256), original.id if refused else None)

    def _remember(self, key: _Key, original_id: uuid.UUID | None) -> None:
        self._refused.pop(key, None)
        if original_id is not None:
            self._refused[key] = _Refusal(original_id, self._clock())
            if len(self._refused) > REMEMBERED:
                self._refused.popitem(last=False)


def _key(original: Original, sha256: str) -> _Key:
    return (original.source, sha256, original.transport, original.content_type, original.asked_format)
