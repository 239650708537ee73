"""Rules of retention: what grows, what makes a row old, and how long it is kept where no policy says otherwise."""

import tomllib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from shared.postgres.pool import Pool

KEPT_FOR_EVER = 0
LONGEST_DAYS = 36_500


class BadPolicy(ValueError):
    """The policy file names what there is no rule for, or a number of days that makes no sense."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing that grows. Deleting by it changes nothing that readers see."""

    name: str
    what: str
    """For people: what goes, and what that means."""
    table: str
    key: str
    """The columns of the primary key, comma-separated."""
    old: str
    """The condition in SQL; `$1` is the moment before which a row is old. Rows are `t`."""
    days: int
    """Days that it is kept unless the policy says otherwise; 0 for ever."""
    erase: str = ""
    """Instead of deleting a row: the assignments that take its words out. The condition must not hold afterwards."""
    least_days: int = 1
    """Fewer would break what the rows are for."""
    by: str = ""
    """The column, a time, by whose index old rows are found; without it the table is gone through page by page."""
    batch: int = 1000
    """Rows of one transaction at most, where there is such an index."""


@dataclass(frozen=True, slots=True)
class Extra:
    """Something that grows outside of tables."""

    name: str
    what: str
    days: int
    act: Callable[[Pool, datetime, bool], Awaitable[int]]
    """Deletes what is older than a moment (or counts it, where the flag says that it is a dry run); how much it was."""
    least_days: int = 1


AnyRule = Rule | Extra


def read_policy(path: Path | None, service: str, rules: Sequence[AnyRule]) -> Mapping[str, int]:
    """Days by rule, from the table of the service in a TOML file; of what it does not name, the rule's own. Raises BadPolicy.

    ```toml
    [ingest]
    originals = 30     # days; 0 keeps for ever
    ```
    """
    days = {rule.name: rule.days for rule in rules}
    if path is None:
        return days
    try:
        tables = tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise BadPolicy(f"{path} cannot be read: {error}") from error
    given = tables.get(service, {})
    if not isinstance(given, dict):
        raise BadPolicy(f"{path}: [{service}] is a table of days by rule")
    least = {rule.name: rule.least_days for rule in rules}
    for name, value in given.items():
        if name not in days:
            raise BadPolicy(f"{path}: {service} has no rule {name!r}; there are {', '.join(sorted(days)) or 'none'}")
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= LONGEST_DAYS:
            raise BadPolicy(f"{path}: {service}.{name} is a whole number of days from 0 (for ever) to {LONGEST_DAYS}")
        if value and value < least[name]:
            raise BadPolicy(f"{path}: {service}.{name} is at least {least[name]} days")
        days[name] = value
    return days


def with_policy(rules: Sequence[AnyRule], days: Mapping[str, int]) -> list[AnyRule]:
    """The rules with the days of a policy."""
    return [replace(rule, days=days[rule.name]) for rule in rules]
