"""A web replica in a process of its own, which a body that says so takes down: `crash`, or `hang` where nothing ends it."""

import os
import signal

from publish.representation.fragment import fitting
from publish.settings import Settings
from publish.web.process import STAGE, serve
from shared.process import run


def fit(body: str, heading: int = 4) -> str:
    """As always, but for those two."""
    if "crash" in body:
        os._exit(11)
    if "hang" in body:
        # As a call into C that does not return: no alarm is heard.
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])
        while True:
            pass
    return fitting(body, heading)


if __name__ == "__main__":
    given = Settings()
    run(given, STAGE, lambda stop: serve(given, stop, fit=fit))
