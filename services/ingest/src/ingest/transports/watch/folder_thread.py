"""The thread in which the file calls of one folder run.

A network drive that does not answer keeps a call for minutes, or for ever: it must hold up neither the event loop nor the calls
for other folders, as a pool of threads would. The thread does not keep the process from ending either.
"""

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class FolderThread:
    """Runs calls one after the other."""

    def __init__(self, name: str) -> None:
        self._calls: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        threading.Thread(target=self._work, name=f"folder {name}", daemon=True).start()

    async def run(self, call: Callable[P, T], *arguments: P.args, **options: P.kwargs) -> T:
        """The result of a call. Who is cancelled no longer waits for it; it ends by itself."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()

        def tell(set_result: Callable[[], None]) -> None:
            # A loop that has ended has nobody who waits.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(lambda: None if future.done() else set_result())

        def work() -> None:
            if future.cancelled():
                return
            try:
                result = call(*arguments, **options)
            except Exception as error:  # noqa: BLE001 -- handed to whoever waits
                failure = error
                tell(lambda: future.set_exception(failure))
            else:
                tell(lambda: future.set_result(result))

        self._calls.put(work)
        return await future

    def stop(self) -> None:
        """End the thread once its calls have ended."""
        self._calls.put(None)

    def _work(self) -> None:
        while (work := self._calls.get()) is not None:
            work()
