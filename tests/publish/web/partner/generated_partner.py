"""A partner's program, written from `/docs` alone on a client that openapi-python-client made: prints its page as JSON.

`python generated_partner.py SITE STATE`: STATE is a file in which it keeps what it shows and the cursor, from one run to the next.
"""

import json
import sys
from pathlib import Path

from slugline_client import Client
from slugline_client.api.streams import since
from slugline_client.api.updates import get_update, list_updates
from slugline_client.models import KillEvent, ResetEvent


def shown(update):
    """What the partner's page says of an update."""
    quotes = [block.text for block in update.blocks if block.kind == "quote"]
    return {
        "headline": update.headline, "position": update.position, "revision": update.revision, "language": update.language,
        "quotes": quotes, "authors": [author.name for author in update.authors],
    }  # fmt: skip


def main(site, kept):
    """Load the page the first time; afterwards go on from the cursor."""
    client = Client(base_url=site, raise_on_unexpected_status=True)
    if not kept.exists():
        page = list_updates.sync(client=client, channel="story:flood")
        state = {"cursor": page.cursor, "page": {update.update_id: shown(update) for update in page.updates}}
    else:
        state, more = json.loads(kept.read_text()), True
        while more:
            answer = since.sync(client=client, channel=["story:flood"], cursor=state["cursor"])
            for event in answer.events:
                if isinstance(event, ResetEvent):
                    raise SystemExit("a reset: fetch the snapshot")
                if isinstance(event, KillEvent):
                    state["page"].pop(event.data.update_id, None)
                else:
                    state["page"][event.data.update_id] = shown(event.data)
            state["cursor"], more = answer.cursor, answer.more
    for update_id in state["page"]:
        assert get_update.sync_detailed(client=client, update_id=update_id).status_code == 200
    kept.write_text(json.dumps(state))
    print(json.dumps(sorted(state["page"].values(), key=lambda each: each["position"], reverse=True)))


main(sys.argv[1], Path(sys.argv[2]))
