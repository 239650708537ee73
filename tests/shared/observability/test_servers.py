"""Servers that do not answer are told; a short silence is not."""

from prometheus_client import REGISTRY

from shared.failures import Transient
from shared.observability.health import Health
from shared.observability.servers import SILENT_S, ServerWatch


async def test_a_silence_is_told_once_it_is_no_restart_any_more() -> None:
    """Ready through a short silence, not after a long one, and again at the first answer; the metric follows."""
    now, failure = 0.0, None

    async def ask() -> None:
        if failure is not None:
            raise failure

    watch = ServerWatch({"postgres": ask}, clock=lambda: now)
    health = Health("tests")
    watch.report_to(health)
    await watch.ask()
    assert health.why_not_ready() == {}
    assert answers("postgres") == 1
    failure = Transient("it is a standby, which takes no writes")
    now = SILENT_S - 1
    await watch.ask()
    assert health.why_not_ready() == {}
    assert answers("postgres") == 1
    now = 3 * SILENT_S
    await watch.ask()
    assert health.why_not_ready() == {
        "server postgres": "has not answered for 30 s: it is a standby, which takes no writes"
    }
    assert answers("postgres") == 0
    failure = None
    await watch.ask()
    assert health.why_not_ready() == {}
    assert answers("postgres") == 1


async def test_who_serves_without_a_server_is_ready_and_says_so() -> None:
    """One server that is away leaves the checks of others as they are."""
    now = 0.0

    async def away() -> None:
        raise OSError("refused")

    async def well() -> None:
        """It answers."""

    watch = ServerWatch({"kafka": away, "postgres": well}, clock=lambda: now)
    health = Health("tests")
    watch.report_to(health, serves_without=("kafka",))
    now = 60.0
    await watch.ask()
    assert health.why_not_ready() == {}
    assert health.reasons(health.degraded) == {"server kafka": "has not answered for 60 s: OSError: refused"}


def answers(server: str) -> float | None:
    """What the metric says."""
    return REGISTRY.get_sample_value("slugline_server_answers", {"server": server})
