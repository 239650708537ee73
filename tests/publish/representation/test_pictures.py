"""How a page draws a picture: never more of it away than somebody allowed, never larger than it is."""

import pytest

from publish.representation.pictures import TALLEST, WIDEST, shown_as, sizes_of
from publish.representation.reader_update import ReaderMedia
from shared.messages import Media, Rendition
from support.revisions import read, revision


def media(width: int, height: int, focal_point: tuple[float, float] | None = None) -> ReaderMedia:
    """A picture of that size."""
    sizes = [(320, round(320 * height / width)), (width, height)] if width > 320 else [(width, height)]
    renditions = tuple(
        Rendition(url=f"/media/ab/abc-{wide}.jpg", mime_type="image/jpeg", width=wide, height=high)
        for wide, high in sizes
    )
    given = Media(id="abc", width=width, height=height, focal_point=focal_point, renditions=renditions)
    (shown,) = read(revision("pictured", media=(given,))).media
    return shown


@pytest.mark.parametrize(
    ("size", "focal_point", "cropped", "drawn"),
    [
        ((960, 640), (0.2, 0.5), True, (960, 640)),
        ((960, 640), None, False, (864, 576)),
        ((600, 900), (0.5, 0.1), False, (384, 576)),
        ((2400, 800), (0.5, 0.5), False, (960, 320)),
        ((200, 150), None, False, (200, 150)),
        ((4000, 3000), (0.5, 0.5), True, (960, 720)),
    ],
)
def test_only_a_landscape_with_a_focal_point_is_cropped(
    size: tuple[int, int], focal_point: tuple[float, float] | None, cropped: bool, drawn: tuple[int, int]
) -> None:
    """The rest is whole, no higher than a screen, and no larger than it is."""
    shown = shown_as(media(*size, focal_point))
    assert shown is not None
    assert shown.cropped is cropped
    assert (shown.shown_width, shown.shown_height) == drawn
    assert (shown.width, shown.height) == size
    assert shown.shown_width <= min(WIDEST, size[0])
    assert cropped or shown.shown_height <= TALLEST
    assert shown.largest == f"/media/ab/abc-{size[0]}.jpg"


def test_the_browser_is_told_how_wide_a_picture_is_drawn() -> None:
    """Its own width where it is narrower than the column; more than the column where a crop leaves some out of sight."""
    portrait, wide, small = (
        shown_as(media(600, 900)),
        shown_as(media(2100, 1000, (0.5, 0.5))),
        shown_as(media(200, 150)),
    )
    assert portrait is not None
    assert wide is not None
    assert small is not None
    assert sizes_of(portrait, 640) == "(min-width: 432px) 384px, 100vw"
    assert sizes_of(wide, 640) == "(min-width: 688px) 896px, 140vw"
    assert sizes_of(small, 640) == "(min-width: 248px) 200px, 100vw"
