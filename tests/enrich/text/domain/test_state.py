"""State rows that another release has written."""

import json

from enrich.text.domain.lifecycle import decide
from enrich.text.domain.state import State
from shared.messages import update_id_for
from support.incoming import order, version

UPDATE = update_id_for("pa", "g1")
FIRST_RELEASE = {
    "update_id": UPDATE,
    "turn": 3,
    "revision": 2,
    "rulings": {"sight": {"order": "withdraw", "at": "2026-11-23T09:02:00Z", "by": "desk"}},
    "shown": {"headline": "Ministers meet", "slug": "ministers-meet", "first_published_at": "2026-11-23T09:01:00Z"},
}


def test_a_row_of_the_first_release_is_read_and_written_as_it_was() -> None:
    """Two releases run side by side during a deployment: each reads the rows of the other."""
    state = State.model_validate_json(json.dumps(FIRST_RELEASE))
    assert (state.state_version, state.is_public, state.desk_decisions["sight"].order) == (3, True, "withdraw")
    assert json.loads(state.model_dump_json(exclude_defaults=True)) == FIRST_RELEASE


def test_every_member_of_a_row_has_its_first_name() -> None:
    """What a release before this one does not know it would drop."""
    state = decide(order("withdraw", 2), decide(version(1), State(update_id=UPDATE)).state).state
    stored = json.loads(state.model_dump_json(exclude_defaults=True))
    assert stored.keys() == {"update_id", "turn", "current", "rulings"}
    assert stored["rulings"].keys() == {"sight"}
