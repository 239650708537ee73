"""File types, detected from the bytes alone: servers and file names are not trusted."""

import re

from enrich.media.errors import PictureRefused

MEDIA_TYPES = {
    "jpeg": "image/jpeg",
    "png": "image/png",
    "webp": "image/webp",
    "gif": "image/gif",
    "avif": "image/avif",
}
"""The formats that are rendered, with their media types."""

_OTHERS: tuple[tuple[bytes, str], ...] = (
    (b"II*\x00", "TIFF"),
    (b"MM\x00*", "TIFF"),
    (b"II+\x00", "TIFF"),
    (b"MM\x00+", "TIFF"),
    (b"%PDF", "PDF"),
    (b"%!PS", "PostScript"),
    (b"8BPS", "Photoshop"),
    (b"BM", "BMP"),
    (b"\x00\x00\x01\x00", "icon"),
    (b"\x00\x00\x00\x0cJXL ", "JPEG XL"),
    (b"\xff\x0a", "JPEG XL"),
    (b"\x00\x00\x00\x0cjP  ", "JPEG 2000"),
    (b"\xff\x4f\xff\x51", "JPEG 2000"),
    (b"PK\x03\x04", "ZIP"),
    (b"\x1f\x8b", "gzip"),
    (b"RIFF", "RIFF"),
    (b"\x1a\x45\xdf\xa3", "Matroska"),
)
_MARKUP = re.compile(rb"^\s*<(\?xml|!doctype|!--|svg|html|head|body|[a-z]+:svg)", re.IGNORECASE)


def file_type_of(data: bytes) -> str:
    """The name of the format in `MEDIA_TYPES`. Raises PictureRefused for others, with what they seem to be."""
    if not data:
        raise PictureRefused("empty: no bytes at all")
    if data.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "gif"
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "webp"
    if data[4:8] == b"ftyp":
        return _brand(data)
    for magic, name in _OTHERS:
        if data.startswith(magic):
            raise PictureRefused(f"not taken: {name}")
    start = data[:1024].removeprefix(b"\xef\xbb\xbf")
    if b"<svg" in start.lower():
        raise PictureRefused("not taken: SVG, since it can carry scripts and references")
    if _MARKUP.match(start):
        raise PictureRefused("not a picture: a document of markup")
    raise PictureRefused("not a picture of a known format")


def _brand(data: bytes) -> str:
    size = min(int.from_bytes(data[:4], "big"), 256, len(data))
    brands = {data[8:12], *(data[at : at + 4] for at in range(16, size - 3, 4))}
    if brands & {b"avif", b"avis"}:
        return "avif"
    if brands & {b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1"}:
        raise PictureRefused("not taken: HEIC")
    raise PictureRefused("not taken: video or another container of the MP4 family")
