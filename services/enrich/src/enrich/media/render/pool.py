"""The pool of renderers. One may crash, hang or be killed, and only its picture is refused."""

from dataclasses import asdict, dataclass
from typing import Literal

import orjson
import structlog
from prometheus_client import Counter, Histogram
from pydantic import TypeAdapter

from enrich.media.errors import PictureRefused
from enrich.media.render.rendered import Encoded, Rendered
from enrich.media.render.sandbox import environment
from enrich.picture_index.embedded import NOTHING, Embedded
from shared.worker_processes.pool import AnswerTooLarge, Crashed, Nonsense, TooSlow, WorkerPool, WorkerProgram

log = structlog.get_logger(__name__)

Job = Literal["picture", "avatar"]

RENDERED = Counter("slugline_media_renders", "Pictures that went through a renderer", ["outcome"])
RENDER_SECONDS = Histogram(
    "slugline_media_render_seconds", "Time to render one picture", buckets=(0.1, 0.25, 0.5, 1, 2, 4, 8, 16, 32)
)
REPLACED = Counter("slugline_media_renderers_replaced", "RendererPool that were replaced", ["why"])

PICTURES_BEFORE_REPLACEMENT = 500
"""The memory of a long-lived decoder fragments; starting a new one takes a third of a second."""
MAX_ANSWER_BYTES = 256 * 1024 * 1024

_FACTS: TypeAdapter[Rendered] = TypeAdapter(Rendered)


@dataclass(frozen=True, slots=True)
class RenderLimits:
    """What one picture may cost."""

    pixels: int = 100_000_000
    seconds: float = 30.0
    """Wall-clock time; twice as much processor time."""
    memory_bytes: int = 1024**3
    """Of address space, for the whole worker."""


class RendererPool:
    """At most `count` renderers, started on demand. Use as a context, which ends them."""

    def __init__(self, count: int, limits: RenderLimits, *, trusted: str = "") -> None:
        """`trusted`: certificates of issuers of content credentials that the newsroom trusts, as PEM."""
        self._limits = limits
        self._trusted = trusted
        self._workers = WorkerPool(
            count,
            WorkerProgram(
                name="renderer",
                module="enrich.media.render.worker",
                memory_bytes=limits.memory_bytes,
                environment=environment,
                jobs_before_replacement=PICTURES_BEFORE_REPLACEMENT,
                most_answer_bytes=MAX_ANSWER_BYTES,
                replaced=REPLACED,
                started=_started,
            ),
        )

    async def __aenter__(self) -> "RendererPool":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._workers.close()

    def pids(self) -> list[int]:
        """The processes that run now."""
        return self._workers.pids()

    async def render(self, data: bytes, job: Job = "picture", wire: Embedded = NOTHING) -> Rendered:
        """Render a picture; `wire` is what its source says beside it. Raises PictureRefused, or Transient where no renderer can be started."""
        limits = self._limits
        said = {name: text for name, text in asdict(wire).items() if text}
        request = {
            "job": job, "max_pixels": limits.pixels, "cpu_s": limits.seconds * 2, "wire": said, "trusted": self._trusted,
        }  # fmt: skip
        with RENDER_SECONDS.time():
            try:
                rendered = await self._workers.run(
                    orjson.dumps(request), data, timeout_s=limits.seconds, decode=_rendered
                )
            except TooSlow:
                reason = f"it takes longer than {limits.seconds:g} s to render"
            except AnswerTooLarge:
                reason = f"its renditions have more than {MAX_ANSWER_BYTES} bytes"
            except Nonsense:
                reason = "the renderer answered nonsense"
            except Crashed as crash:
                reason = _reason(crash.ending, limits)
            else:
                if not isinstance(rendered, str):
                    RENDERED.labels("rendered").inc()
                    return rendered
                reason = rendered
        RENDERED.labels("refused").inc()
        raise PictureRefused(reason)


def _started(hello: bytes) -> None:
    if not orjson.loads(hello).get("confined"):
        log.warning("the kernel does not filter the renderer's system calls; limits alone hold it")


def _reason(ending: str, limits: RenderLimits) -> str:
    """Why a renderer ended, as a reason to refuse its picture."""
    if ending == "SIGXCPU":
        return f"it takes more than {limits.seconds * 2:g} s of processor time to render"
    return f"the renderer ended on it ({ending}): damaged, or it needs more memory than a picture may"


def _rendered(first: bytes, blobs: list[bytes]) -> Rendered | str:
    """A renderer's result, or why it refused. It may have been taken over by what it decoded, so every field is validated."""
    facts = orjson.loads(first)
    if "refused" in facts:
        return str(facts["refused"])[:500]
    described = facts.pop("renditions")
    for each, data in zip(described, blobs, strict=True):
        if each.pop("size_bytes") != len(data):
            raise ValueError("a rendition is not as long as it says")
    rendered = _FACTS.validate_python({**facts, "renditions": []})
    renditions = tuple(
        Encoded(int(each["width"]), int(each["height"]), _extension(each["extension"]), str(each["mime_type"]), data)
        for each, data in zip(described, blobs, strict=True)
    )
    return Rendered(
        rendered.mime_type, rendered.width, rendered.height, rendered.focal_point, rendered.placeholder,
        rendered.image_hash, rendered.embedded, renditions, rendered.credentials,
    )  # fmt: skip


def _extension(value: str) -> str:
    if value not in ("avif", "webp", "jpg"):
        raise ValueError("unknown kind of rendition")
    return value
