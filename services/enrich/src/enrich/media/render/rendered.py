"""What a renderer hands back. Nothing here decodes: the lane reads it without libvips in its process."""

from dataclasses import asdict, dataclass
from typing import Any

from enrich.media.render.image_hash import Likeness
from enrich.picture_index.embedded import Embedded


@dataclass(frozen=True, slots=True)
class Encoded:
    """One rendition and its bytes."""

    width: int
    height: int
    extension: str
    mime_type: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Rendered:
    """What became of a picture. Width and height are of the original as it is seen, in pixels."""

    mime_type: str
    width: int
    height: int
    focal_point: tuple[float, float] | None
    placeholder: str
    likeness: Likeness | None
    embedded: Embedded
    renditions: tuple[Encoded, ...]

    def facts(self) -> dict[str, Any]:
        """All but the bytes of the renditions, as JSON."""
        value = asdict(self)
        for rendition in value["renditions"]:
            rendition["size_bytes"] = len(rendition.pop("data"))
        return value
