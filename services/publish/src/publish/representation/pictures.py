"""Which pictures an update shows: pure.

A picture is named by the folder of its renditions in the object store, which is the digest of the original's bytes: the
same photograph in two updates is one picture. Portraits of authors that enrich made belong to the author and are always
served (`is_portrait`); others go with the updates that name them.
"""

from shared.messages import EnrichedUpdate

MEDIA_PREFIX = "/media/"
PORTRAIT_PREFIX = "avatar-"


def picture_of(path: str) -> str:
    """The picture that a path in the object store is a rendition of."""
    return path.rpartition("/")[0] or path


def is_portrait(path: str) -> bool:
    """Whether a path in the object store is the portrait of an author."""
    return path.rpartition("/")[2].startswith(PORTRAIT_PREFIX)


def renditions_shown(update: EnrichedUpdate) -> dict[str, tuple[str, ...]]:
    """The pictures of an update and the paths of their renditions; of a removal none."""
    found: dict[str, list[str]] = {}
    if update.is_removal:
        return {}
    urls = [rendition.url for media in update.media for rendition in media.renditions]
    # A portrait that was put into the store by hand has a name like any other picture's.
    urls += [author.avatar_url for author in update.authors if author.avatar_url]
    for url in urls:
        if url.startswith(MEDIA_PREFIX):
            path = url.removeprefix(MEDIA_PREFIX)
            found.setdefault(picture_of(path), []).append(path)
    return {picture: tuple(paths) for picture, paths in found.items()}
