"""How long a step may take."""

import time
from dataclasses import dataclass, field
from typing import Self

from prometheus_client import Counter

MISSED = Counter("slugline_enrich_steps_missed", "Times a step failed or missed its budget", ["step", "why"])


@dataclass(slots=True)
class Budget:
    """A moment that a step looks at where its work could grow; what is done by then is kept."""

    ends_at: float = field(default=float("inf"))
    missed: bool = False

    @classmethod
    def of_ms(cls, milliseconds: float) -> Self:
        """A budget that begins now."""
        return cls(time.perf_counter() + milliseconds / 1000)

    @property
    def spent(self) -> bool:
        """Whether the time is over; remembers that somebody asked in vain."""
        if time.perf_counter() > self.ends_at:
            self.missed = True
        return self.missed
