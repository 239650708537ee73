"""`make mutants`: every mutant, two at a time; ends with 1 where one that was killed survives."""

import contextlib
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import Queue

import click

from oracle.mutants.gate import BASELINE, CPU_S, Mutant, Result, Tree, killed_share, mutants, verdict
from support.servers import GIVEN, running_servers


def _check_checks(
    found: Sequence[Mutant], trees: "Queue[Tree]", servers: Mapping[str, str], jobs: int
) -> dict[str, str]:
    """The checks that fail without any mutant, with what they say: nothing can be learnt from them.

    Those without options are run together first; which of them fails is looked at only where one does.
    """
    checks = {each.check: each.servers for each in found}
    for with_servers in (False, True):
        together = sorted(each for each in checks if checks[each] == with_servers and " -" not in each)
        if together and _pass_together(together, trees, servers if with_servers else {}):
            checks = {each: needs for each, needs in checks.items() if each not in together}

    def passes(check: str) -> tuple[str, bool, str]:
        tree, began = trees.get(), time.monotonic()
        try:
            good, said = tree.passes(check, servers if checks[check] else {})
        finally:
            trees.put(tree)
        click.echo(f"{'passes' if good else 'fails':>15} {time.monotonic() - began:5.1f} s  {check}", err=True)
        return check, good, said

    with ThreadPoolExecutor(jobs) as pool:
        return {check: said for check, good, said in pool.map(passes, checks) if not good}


def _pass_together(checks: Sequence[str], trees: "Queue[Tree]", servers: Mapping[str, str]) -> bool:
    tree, began = trees.get(), time.monotonic()
    try:
        named = " ".join(dict.fromkeys(" ".join(checks).split()))
        good, _ = tree.passes(named, servers, cpu_s=CPU_S * 10)
    finally:
        trees.put(tree)
    click.echo(
        f"{'pass' if good else 'fail':>15} {time.monotonic() - began:5.1f} s  {len(checks)} checks together", err=True
    )
    return good


def _try_all(
    found: Sequence[Mutant], trees: "Queue[Tree]", servers: Mapping[str, str], broken: Mapping[str, str], jobs: int
) -> dict[str, Result]:
    def tried(mutant: Mutant) -> tuple[str, Result]:
        if mutant.check in broken:
            return mutant.name, "check fails without it"
        tree, began = trees.get(), time.monotonic()
        try:
            result, by = tree.tried(mutant, servers if mutant.servers else {})
        finally:
            trees.put(tree)
        click.echo(f"{result:>15} {time.monotonic() - began:5.1f} s  {mutant.name}  {by}", err=True)
        return mutant.name, result

    with ThreadPoolExecutor(jobs) as pool:
        return dict(pool.map(tried, found))


@click.command()
@click.option("--only", default="", help="Those whose name contains this.")
@click.option("--jobs", type=int, default=2, show_default=True)
@click.option("--write", is_flag=True, help="Make what was found the baseline.")
@click.option(
    "--which",
    type=click.Choice(["all", "plain", "servers"]),
    default="all",
    show_default=True,
    help="plain: those whose check needs no servers; servers: the others.",
)
@click.option("--json", "as_json", type=click.Path(path_type=Path), help="Write the results there.")
def main(only: str, jobs: int, write: bool, which: str, as_json: Path | None) -> None:
    """Try the mutants and compare with the baseline."""
    found = [
        each for each in mutants() if only in each.name and which in ("all", "servers" if each.servers else "plain")
    ]
    began = time.monotonic()
    with contextlib.ExitStack() as stack:
        servers: dict[str, str] = {}
        if any(each.servers for each in found):
            running = stack.enter_context(running_servers())
            servers = dict(zip(GIVEN, (running.kafka, running.postgres, running.redis), strict=True))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mutants-")))
        trees: Queue[Tree] = Queue()
        for number in range(jobs):
            trees.put(stack.enter_context(Tree(folder / f"tree-{number}")))
        broken = _check_checks(found, trees, servers, jobs)
        for check, said in broken.items():
            click.echo(f"fails without a mutant: {check}\n{said}", err=True)
        results = _try_all(found, trees, servers, broken, jobs)
    baseline: dict[str, str] = json.loads(BASELINE.read_text()) if BASELINE.exists() else {}
    if write:
        baseline |= results
        BASELINE.write_text(json.dumps(dict(sorted(baseline.items())), indent=1) + "\n")
    if as_json is not None:
        as_json.write_text(json.dumps(results, indent=1))
    reasons = verdict(found, results, baseline)
    counts = ", ".join(f"{count} {result}" for result, count in Counter(results.values()).items())
    click.echo(
        f"{len(found)} mutants in {time.monotonic() - began:.0f} s: {counts}; {killed_share(results.values()):.1%} killed"
    )
    click.echo("\n".join(reasons) or "as in the baseline")
    sys.exit(bool(reasons))


if __name__ == "__main__":
    main()
