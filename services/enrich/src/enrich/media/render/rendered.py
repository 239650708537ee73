"""The result of rendering. Importing it does not load libvips, so the media worker stays without decoders."""

from dataclasses import asdict, dataclass, replace

from enrich.media.render.image_hash import ImageHash
from enrich.picture_index.embedded import Embedded
from shared.messages import ContentCredentials


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
    """A rendered picture. Width and height are those of the original as shown, in pixels."""

    mime_type: str
    width: int
    height: int
    focal_point: tuple[float, float] | None
    placeholder: str
    image_hash: ImageHash | None
    embedded: Embedded
    renditions: tuple[Encoded, ...]
    credentials: ContentCredentials | None = None
    """What its C2PA manifest says."""

    def facts(self) -> dict[str, object]:
        """All but the bytes of the renditions, as JSON."""
        value: dict[str, object] = asdict(replace(self, renditions=(), credentials=None))
        value["credentials"] = self.credentials.model_dump(mode="json") if self.credentials else None
        value["renditions"] = [
            {
                "width": each.width,
                "height": each.height,
                "extension": each.extension,
                "mime_type": each.mime_type,
                "size_bytes": len(each.data),
            }
            for each in self.renditions
        ]
        return value
