"""What publish keeps, and for how long unless a policy says otherwise."""

from shared.retention.command import prune_command
from shared.retention.rules import Rule

_EARLIER = "EXISTS (SELECT FROM publish.updates u WHERE u.update_id = t.update_id AND u.final)"

PUSHED = (
    Rule(
        "deliveries", "what endpoints answered", "publish.deliveries", "id",
        "t.state <> 'waiting' AND t.ended_at < $1", 14, by="ended_at",
    ),
    # With one go the results of all its readers.
    Rule("alerts", "alerts, with who got them", "publish.alerts", "id", "t.ended_at < $1", 14, by="ended_at", batch=1),
    Rule(
        "pushed", "that a revision was pushed; a repeat of it is pushed again once this is gone", "publish.pushed", "update_id, revision",
        "t.pushed_at < $1", 60, by="pushed_at", least_days=60,
    ),
)  # fmt: skip
"""What `publish push` deletes by itself, deliveries and alerts by PUBLISH_PUSH_KEEP_DAYS; a policy may ask for less time. `pushed` is
kept for twice as long as Kafka keeps updates.enriched."""

RULES = (
    *PUSHED,
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
