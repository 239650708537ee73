"""`slugline status`: the command line."""

import sys
import time

import click

from shared.commands import to_json
from slugline.servers import run
from slugline.settings import OperatorSettings
from slugline.status.gather import gather
from slugline.status.report import problems_of, verdict
from slugline.status.screen import screen


@click.command()
@click.option("--json", "json_wanted", is_flag=True, help="Print JSON: everything on the screen, and more.")
@click.option("--watch", is_flag=True, help="Look again until it is interrupted.")
@click.option("--every", "every_s", type=click.FloatRange(1), default=5.0, show_default=True, help="With --watch, s.")
def status(json_wanted: bool, watch: bool, every_s: float) -> None:
    """Is all well? Servers, processes, what waits, sources, and what was set aside, on one screen.

    Exit code 0: all well. 1: somebody should look (dead letters, rows set aside, a source that is quiet or paused, a process
    that is degraded). 2: readers or senders miss something now (a server or a process away or not ready, copy that is late, a
    takedown that is not clean).
    """
    settings = OperatorSettings()
    while True:
        report = run(gather(settings))
        problems = problems_of(report)
        if json_wanted:
            click.echo(
                to_json({"verdict": int(verdict(problems)), "problems": problems, "report": report}, indented=True)
            )
        else:
            if watch:
                click.clear()
            click.echo(screen(report, problems))
        if not watch:
            sys.exit(int(verdict(problems)))
        time.sleep(every_s)
