"""The report of a takedown: for a script, for a person, and as a page that prints."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape

from pydantic import JsonValue

from publish.representation.reader_update import ReaderUpdate
from publish.takedown.sinks.finding import Killed
from shared.postgres.pool import Pool
from shared.postgres.rows import typed


@dataclass(frozen=True, slots=True)
class SinkReport:
    """What is known of one sink; a row of `publish.takedowns`."""

    sink: str
    clean_at: datetime | None
    checked_at: datetime
    detail: str


@dataclass(frozen=True, slots=True)
class FullLook:
    """A look at every sink; a row of `publish.takedown_looks`."""

    at: datetime
    clean: bool
    unclean: Sequence[str]


@dataclass(frozen=True, slots=True)
class Report:
    """What is known of a takedown, sink by sink."""

    killed: ReaderUpdate
    was_public: bool
    sinks: Sequence[SinkReport]
    looks: Sequence[FullLook]
    next_look_at: datetime | None

    @property
    def clean(self) -> bool:
        """Whether every sink is known to be clean."""
        return bool(self.sinks) and all(each.clean_at is not None for each in self.sinks)

    def seconds(self, sink: SinkReport) -> float | None:
        """How long after the order a sink was clean."""
        ordered_at = self.killed.passport.received_at
        return round((sink.clean_at - ordered_at).total_seconds(), 3) if sink.clean_at else None


async def report(pool: Pool, killed: Killed) -> Report:
    """What is known of a takedown."""
    update_id = killed.update_id
    rows = await pool.fetch(
        "SELECT sink, clean_at, checked_at, detail FROM publish.takedowns WHERE update_id = $1 ORDER BY sink", update_id
    )
    looks = await pool.fetch(
        "SELECT at, clean, unclean FROM publish.takedown_looks WHERE update_id = $1 ORDER BY at DESC LIMIT 20",
        update_id,
    )
    due_at = await pool.fetchval("SELECT due_at FROM publish.takedown_checks WHERE update_id = $1", update_id)
    return Report(
        killed.update,
        killed.was_public,
        typed(SinkReport, rows),
        typed(FullLook, reversed(looks)),
        due_at if isinstance(due_at, datetime) else None,
    )


def as_json(report: Report, made_at: datetime) -> dict[str, JsonValue]:
    """The report for a script."""
    killed = report.killed
    return {
        "update_id": killed.update_id,
        "removal": killed.removal,
        "revision": killed.revision,
        "cursor": str(killed.cursor),
        "was_public": report.was_public,
        "ordered_at": killed.passport.received_at.isoformat(),
        "reason": killed.change.reason,
        "clean": report.clean,
        "made_at": made_at.isoformat(),
        "next_look_at": report.next_look_at.isoformat() if report.next_look_at else None,
        "sinks": [
            {
                "sink": each.sink,
                "clean": each.clean_at is not None,
                "clean_at": each.clean_at.isoformat() if each.clean_at else None,
                "seconds": report.seconds(each),
                "checked_at": each.checked_at.isoformat(),
                "detail": each.detail,
            }
            for each in report.sinks
        ],
        "looks": [
            {"at": each.at.isoformat(), "clean": each.clean, "unclean": list(each.unclean)} for each in report.looks
        ],
    }


def as_text(report: Report) -> str:
    """The report for a person."""
    killed = report.killed
    ordered_at = killed.passport.received_at.isoformat()
    lines = [
        f"{killed.update_id}  {killed.removal} at {ordered_at} (revision {killed.revision}, cursor {killed.cursor})",
        *([] if report.was_public else ["  readers never saw it"]),
        *(
            f"  {'clean' if each.clean_at else 'NOT CLEAN':10} {each.sink:50} "
            + (f"{each.clean_at.isoformat()}  after {report.seconds(each)} s" if each.clean_at else each.detail)
            for each in report.sinks
        ),
        "every sink is clean" if report.clean else "NOT every sink is clean",
        *([f"looked at again at {report.next_look_at.isoformat()}"] if report.next_look_at else []),
    ]
    return "\n".join(lines)


_STYLE = (
    "body{font:15px/1.45 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#111}"
    "h1{font-size:1.4rem}table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;"
    "padding:.3rem .6rem .3rem 0;border-bottom:1px solid #ccc;overflow-wrap:anywhere}dt{float:left;clear:left;width:9rem;"
    "color:#555}dd{margin:0 0 .2rem 9.5rem}.no{font-weight:700}code{font-size:.8rem;overflow-wrap:anywhere}"
    "@media print{body{margin:0;max-width:none}thead{display:table-header-group}tr{break-inside:avoid}}"
)


def as_page(report: Report, made_at: datetime, signature: str = "") -> str:
    """The report as one page without anything to load: for a file, a printer, or a letter. `signature`: its signed form."""
    killed = report.killed
    facts = {
        "Update": killed.update_id,
        "Removal": f"{killed.removal}, revision {killed.revision}, cursor {killed.cursor}",
        "Ordered": killed.passport.received_at.isoformat(timespec="seconds"),
        "Reason": killed.change.reason or "none given",
        "Readers": "saw it before" if report.was_public else "never saw it",
        "Report made": made_at.isoformat(timespec="seconds"),
        "Looks at all": ", ".join(
            f"{each.at.isoformat(timespec='seconds')} ({'clean' if each.clean else 'not clean'})"
            for each in report.looks
        )
        or "none yet",
        "Next look": report.next_look_at.isoformat(timespec="seconds") if report.next_look_at else "none",
    }
    rows = "".join(_row(report, each) for each in report.sinks)
    verdict = "Every place is clean" if report.clean else "NOT every place is clean"
    terms = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in facts.items())
    signed = f"<h2>Signed report</h2><p><code>{escape(signature)}</code></p>" if signature else ""
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Takedown {escape(killed.update_id)}</title>'
        f"<style>{_STYLE}</style></head><body><h1>Takedown report: {verdict}</h1><dl>{terms}</dl>"
        "<table><thead><tr><th>Place</th><th>State</th><th>Since</th><th>Looked at</th></tr></thead>"
        f"<tbody>{rows}</tbody></table>{signed}</body></html>\n"
    )


def _row(report: Report, sink: SinkReport) -> str:
    state = "clean" if sink.clean_at else f"NOT CLEAN: {sink.detail}"
    since = (
        f"{sink.clean_at.isoformat(timespec='milliseconds')} ({report.seconds(sink)} s after the order)"
        if sink.clean_at
        else ""
    )
    looked = sink.checked_at.isoformat(timespec="seconds")
    cells = "".join(f"<td>{escape(each)}</td>" for each in (sink.sink, state, since, looked))
    return f'<tr class="{"yes" if sink.clean_at else "no"}">{cells}</tr>'
