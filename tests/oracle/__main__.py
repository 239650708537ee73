"""`make oracle SEED=1 MINUTES=5`: one run, its progress, and a report; it ends with 1 where there are differences."""

import asyncio
import json
import sys
from dataclasses import asdict
from pathlib import Path

import click
import uvloop

from oracle.run import Report, run

SHOWN = 3
"""Differences of each kind that the report has in full; the JSON has more."""


def printed(report: Report) -> str:
    """The report for a person."""
    answers, faults = json.dumps(report.answers), json.dumps(report.faults)
    lines = [
        f"seed {report.seed}, {report.seconds:g} s: {report.updates} updates, {report.inputs} inputs, {report.revisions} revisions",
        f"{report.events} events seen, {report.resets} resets, {report.repeats} repeats on the log, {report.other_repeats} with other words",
        f"faults: {report.fired} fired of {report.planned} planned; {faults}",
        f"healthy after {report.healthy_after_s} s, settled after {report.settled_after_s} s; {report.unsure} updates not judged",
        f"answers to senders: {answers}",
        f"differences: {report.differences}",
    ]
    for name, count in report.kinds.items():
        lines.append(f"  {count} × {name}")
        of_kind = [each for each in report.found if f"{each['observer']}: {each['kind']}" == name]
        lines += [
            f"      {each['about']}: expected {each['expected']}\n        got {each['got']}" for each in of_kind[:SHOWN]
        ]
    return "\n".join(lines)


@click.command()
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--minutes", type=float, default=5.0, show_default=True)
@click.option("--rate", type=float, default=20.0, show_default=True, help="Requests a second.")
@click.option("--faults/--no-faults", default=True, show_default=True)
@click.option("--at-least", type=int, default=0, show_default=True, help="Go on until so many faults have fired.")
@click.option("--json", "as_json", type=click.Path(path_type=Path), help="Write the whole report there.")
def main(*, seed: int, minutes: float, rate: float, faults: bool, at_least: int, as_json: Path | None) -> None:
    """Run a newsroom under faults and compare what its readers see with what they must."""

    def say(line: str) -> None:
        click.echo(line, err=True)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        report = runner.run(
            run(seed, minutes * 60, faulty=faults, rate=rate, say=say, at_least=at_least if faults else 0)
        )
    if as_json is not None:
        as_json.write_text(json.dumps(asdict(report), indent=1))
    click.echo(printed(report))
    sys.exit(bool(report.differences))


if __name__ == "__main__":
    main()
