"""What publish keeps, and for how long unless a policy says otherwise. Deliveries and alerts are kept by PUBLISH_PUSH_KEEP_DAYS."""

from shared.retention.command import prune_command
from shared.retention.rules import Rule

_EARLIER = "EXISTS (SELECT FROM publish.updates u WHERE u.update_id = t.update_id AND u.final)"

RULES = (
    Rule(
        "withheld", "texts of killed updates, which no reader is served; a takedown destroys them at once",
        "publish.revisions", "update_id, revision",
        f"t.withheld AND t.data IS NOT NULL AND t.removal IS NULL AND t.written_at < $1 AND {_EARLIER}", 0, erase="data = NULL",
    ),
    Rule("takedowns", "reports of takedowns, sink by sink", "publish.takedowns", "update_id, sink", "t.checked_at < $1", 400),
    Rule("takedown-looks", "when every sink was looked at", "publish.takedown_looks", "update_id, at", "t.at < $1", 400),
    Rule(
        "takedown-checks", "when a takedown was to be looked at again",
        "publish.takedown_checks", "update_id", "t.started_at < $1 AND t.due_at IS NULL", 400, least_days=8,
    ),
    Rule("mutes", "which alerts were held back, by whom and why", "publish.mutes", "id", "t.until < $1", 400),
)  # fmt: skip

prune = prune_command("publish", RULES)
