"""Results of pure functions that are kept by what they were asked for, where that is the words of strangers.

`functools.lru_cache` keeps so many results, however long what they were asked for is: of a function of a name it keeps thousands of
names, and a source may give a name of a megabyte.
"""

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


def remembered(most: int, longest: int) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Keep the last `most` results of a function, those that were asked for with texts of more than `longest` characters left out.

    Takes a tenth of a microsecond more than `lru_cache`. The texts are arguments by position.
    """

    def decorate(function: Callable[P, T]) -> Callable[P, T]:
        kept = lru_cache(most)(function)

        @wraps(function)
        def call(*arguments: P.args, **named: P.kwargs) -> T:
            for each in arguments:
                if isinstance(each, str) and len(each) > longest:
                    return function(*arguments, **named)
            return kept(*arguments, **named)  # type: ignore[arg-type]

        return call

    return decorate
