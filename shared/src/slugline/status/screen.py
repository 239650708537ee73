"""A report as a screen of text."""

from collections.abc import Sequence

import click

from slugline.servers import WIDER_ROLE
from slugline.status.report import Problem, Process, Report, Severity, SourceState, verdict
from slugline.text import age, section, table

COLOURS = {
    "ok": "green",
    "degraded": "yellow",
    "failing": "red",
    "away": "red",
    Severity.WELL: "green",
    Severity.LOOK: "yellow",
    Severity.MISSED: "red",
}
SHOWN_SOURCES = 15
VERDICTS = {
    Severity.WELL: "all well",
    Severity.LOOK: "somebody should look",
    Severity.MISSED: "readers or senders miss something now",
}


def screen(report: Report, problems: Sequence[Problem]) -> str:
    """The whole report: the verdict and what is wrong first, then each part."""
    worst = verdict(problems)
    parts = [
        f"{click.style(VERDICTS[worst], fg=COLOURS[worst], bold=True)}   {report.at:%Y-%m-%d %H:%M:%S} UTC",
        *([section("Wrong", _problems(problems))] if problems else []),
        section("Servers", _servers(report)),
        section("Processes", _processes(report.processes)),
        section("Waiting", _groups(report)),
        section("Sources", _sources(report)),
        section("Set aside", _set_aside(report)),
        *([section("Not seen", f"  {', '.join(report.unseen)}\n       -> {WIDER_ROLE}")] if report.unseen else []),
    ]
    return "\n\n".join(parts)


def _problems(problems: Sequence[Problem]) -> str:
    lines = []
    for each in problems:
        mark = click.style("!!" if each.severity is Severity.MISSED else "! ", fg=COLOURS[each.severity])
        lines.append(f"  {mark} {each.what}\n       -> {each.first}")
    return "\n".join(lines)


def _servers(report: Report) -> str:
    rows = [(each.name, each.error or f"answers, {each.answered_in_ms:g} ms") for each in report.servers]
    return table(rows, ("SERVER", "STATE"))


def _processes(processes: Sequence[Process]) -> str:
    rows = [
        (
            each.name,
            each.state,
            each.version,
            each.address,
            "; ".join(
                [
                    *(f"{name}: {why}" for name, why in each.reasons.items()),
                    *(f"{name}: {role}" for name, role in each.roles.items()),
                    *([f"{each.behind} behind"] if each.behind is not None else []),
                ]
            ),
        )
        for each in processes
    ]
    return table(rows, ("PROCESS", "STATE", "VERSION", "ADDRESS", "DETAIL"))


def _groups(report: Report) -> str:
    rows = [(each.name, each.topic, str(each.lag)) for each in report.groups]
    rows.append(("refreshes", "enrich.pending_refreshes", str(report.refreshes_waiting)))
    untold = [f"\n  {what} is not told by this Kafka, which has no such request" for what in report.untold]
    return table(rows, ("GROUP", "OF", "LAG")) + "".join(untold)


def _sources(report: Report) -> str:
    def by_age(source: SourceState) -> float:
        return source.newest_at.timestamp() if source.newest_at else 0.0

    newest = sorted(report.sources, key=by_age, reverse=True)
    rows = [
        (
            each.name,
            each.kind,
            age(each.newest_at, report.at),
            age(each.heard_at, report.at),
            "" if each.paused_because is None else f"paused: {each.paused_because}",
        )
        for each in newest[:SHOWN_SOURCES]
    ]
    text = table(rows, ("SOURCE", "KIND", "NEWEST UPDATE", "HEARD", "")) if rows else "  none"
    return text + (f"\n  and {len(newest) - len(rows)} more" if len(newest) > len(rows) else "")


def _set_aside(report: Report) -> str:
    rows = [
        (f"dead letters of {each.topic}", f"{each.open}{'' if each.complete else '+'}", age(each.newest_at, report.at))
        for each in report.dead_letters
    ]
    rows += [(f"rows of {each.loop}", str(each.rows), age(each.first_at, report.at)) for each in report.set_aside]
    rows.append(("takedowns that are not clean", str(len(report.takedowns)), ""))
    return table(rows, ("WHAT", "COUNT", ""))
