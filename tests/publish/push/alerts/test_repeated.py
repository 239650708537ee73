"""An update is alerted once: what comes again is no news, unless it is more pressing by then."""

from datetime import timedelta

import pytest

from publish.push.alerts.rules import AlertRules, EarlierAlert, decide_alert
from support.revisions import NOON, revision


@pytest.mark.parametrize(("level", "state"), [(1, "sending"), (2, "suppressed"), (3, "suppressed")])
@pytest.mark.parametrize("story", [None, "flood"])
def test_the_same_update_is_alerted_again_only_at_a_more_pressing_level(
    level: int, state: str, story: str | None
) -> None:
    """Whether it is of a story or not, and however long ago."""
    update = revision("a", 2, story=story)
    earlier = EarlierAlert(update.update_id, story, 2, NOON - timedelta(hours=40))
    decision = decide_alert(
        update, level, "why", rules=AlertRules(), earlier=[earlier], people=2, readable=True, now=NOON  # type: ignore[arg-type]
    )  # fmt: skip
    assert decision.state == state
