"""What is on `updates.outcomes`: what became of items at a stage, so that a sender can be told."""

from datetime import datetime
from typing import Annotated, ClassVar, Literal, get_args

from shared.messages.base import Message, UpdateId
from shared.messages.unknown_values import PassOverUnknown

Stage = Literal["enriched", "published", "duplicate", "superseded", "suppressed", "held", "dead", "conflict"]
"""`enriched`: a revision was emitted. `published`: it is archived and can be read. `duplicate`: the same version was there.
`superseded`: a newer version was there. `suppressed`: the update was killed, or what was held is spiked. `held`: embargoed, withheld,
or waiting for a desk; the reason says which.
`dead`: in the dead letters. `conflict`, beside another one: a desk's correction stands where the source now says otherwise."""


class Outcome(Message):
    """What became of one version of one update at one stage."""

    update_id: UpdateId
    fingerprint: str = ""
    stage: Stage
    at: datetime
    revision: int | None = None
    position: str | None = None
    """The cursor `epoch-offset`, once published."""
    reason: str = ""


class Outcomes(Message):
    """The outcomes of one batch."""

    ce_type: ClassVar[str] = "slugline.updates.outcomes"

    outcomes: Annotated[tuple[Outcome, ...], PassOverUnknown(get_args(Stage), "stage")]
    """Those of a stage that is not known yet are left out."""
