"""All benchmarks, one after the other, on servers that are started for them: `make bench`.

    python tests/bench/run.py [NAME ...]        names: pipeline, enrich, media, reading, stream, pages, push

Each prints its own table and measures its reference in the same run. JSON goes to .local/bench/. Addresses come from
TEST_KAFKA_SERVERS, TEST_POSTGRES_DSN and TEST_REDIS_URL where they are set.
"""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "deploy")]

from support.servers import GIVEN, choose, running_servers  # noqa: E402 -- after the path

BENCHES = ("pipeline", "pages", "stream", "push", "enrich", "media", "reading")


def script(name: str) -> Path | None:
    """The file of a benchmark."""
    for path in (ROOT / "tests/bench" / f"{name}.py", ROOT / "tests/bench" / name / "run.py"):
        if path.exists():
            return path
    return None


def main(wanted: list[str]) -> int:
    """Run those that are wanted, or all: the number of those that failed."""
    scripts = {name: script(name) for name in wanted or BENCHES}
    unknown = [name for name, path in scripts.items() if path is None and wanted]
    if unknown:
        print(
            f"no such benchmark: {', '.join(unknown)}; there are {', '.join(filter(script, BENCHES))}", file=sys.stderr
        )
        return 2
    choice = choose()
    print(f"servers: {choice.kind}" + (f" ({choice.because})" if choice.because else ""), flush=True)
    if choice.kind == "embedded":
        print("figures on the in-memory Kafka say nothing; Docker or Java 17 with Maven is needed", file=sys.stderr)
        return 1
    (ROOT / ".local/bench").mkdir(parents=True, exist_ok=True)
    failed = []
    with running_servers(choice) as servers:
        env = os.environ | dict(zip(GIVEN, (servers.kafka, servers.postgres, servers.redis), strict=True))
        env["PYTHONPATH"] = os.pathsep.join([str(ROOT / "tests"), str(ROOT / "deploy")])
        for name, path in scripts.items():
            if path is None:
                continue
            print(f"\n== {name}", flush=True)
            done = subprocess.run([sys.executable, str(path)], env=env, cwd=ROOT, check=False)
            if done.returncode != 0:
                failed.append(name)
    if failed:
        print(f"\nfailed: {', '.join(failed)}", file=sys.stderr)
    return len(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
