"""The oracle for a minute and a half, with a fixed seed: whatever happens to processes and servers, readers see what they must."""

import json
import os

import pytest

from local import jars
from oracle.__main__ import printed
from oracle.run import run
from support.servers import CACHE, real_wanted

pytestmark = [
    pytest.mark.flow,
    # Its faults are timed, and it has enough processes of its own.
    pytest.mark.alone,
    pytest.mark.timeout(900),
    pytest.mark.skipif(os.environ.get("PROVE_ORACLE") != "1", reason="set PROVE_ORACLE=1; it takes minutes"),
]

SEED = 1
SECONDS = float(os.environ.get("ORACLE_S", "90"))
"""For which copy flows; to start, to become quiet and to compare takes up to as long again."""
RATE = 6.0


async def test_readers_see_what_they_must_whatever_fails(capsys: pytest.CaptureFixture[str]) -> None:
    """No difference, every fault has fired, and all is healthy again within half a minute."""
    try:
        jars.classpath(CACHE)
    except jars.NoJars as reason:
        if real_wanted():
            raise
        pytest.skip(f"servers that can be killed are needed: {reason}")
    report = await run(SEED, SECONDS, faulty=True, rate=RATE, say=print)
    print(printed(report))
    print(json.dumps(report.evidence, indent=1))
    assert report.fired == report.planned > 0
    assert report.healthy_after_s is not None
    assert not report.differences, printed(report)
