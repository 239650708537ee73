"""Every state of every page is valid HTML."""

from datetime import timedelta
from pathlib import Path

from browser.checkers import checked, strictly_parsed
from shared.messages import Author, Flags
from support.counted_votes import CountedVotes
from support.places import skip_or_fail
from support.revisions import NOON, revision
from support.samples import full
from support.web_replica import Make

BODIES = [
    "<ul>text<li><p>a</p><p>b</p></li><div>c</div></ul>",
    "<table><caption>c</caption><tr><td>a<table><tr><td>b</td></tr></table></td></tr></table>",
    "<em><p>inside out</p></em><a href='https://a.example/[x]'>link <a href='https://b.example'>in link</a></a>",
    "<h1>one</h1><h2></h2><h6>six</h6><blockquote>q</blockquote><pre>\n\npre</pre><hr>",
    "<p id='u-1' class='x' style='color:red' onclick='x()'>attributes</p><svg><script>x</script></svg>",
]


async def states(make: Make) -> dict[str, bytes]:
    """Every page in every state, by name."""
    pages: dict[str, bytes] = {}
    empty = make()
    for name, path in (
        ("empty-news", "/"),
        ("empty-stories", "/stories"),
        ("not-found", "/none"),
        ("bad", "/?before=x"),
    ):
        pages[name] = (await empty.get(path)).content
    live = make(publish_web_page_size=5, publish_time_zone="Asia/Kathmandu")
    live.answers.votes = CountedVotes()
    live.take(
        full("pinned", flags=Flags(pinned=True, key_event=True)),
        *(full(f"full-{n}", 2 if n % 2 else 1, slug=f"full-{n}") for n in range(6)),
        *(revision(f"body-{n}", body_html=body, text="x") for n, body in enumerate(BODIES)),
        revision("ar", language="ar", direction="rtl", headline="عاجل", body_html="<p>نص</p>", text="نص"),
        revision("de", language="de", translation_of=full("full-1").update_id),
        revision("pending", media_pending=True),
        revision("nothing", headline="", text="", body_html=""),
        revision("author", authors=(Author(name="", slug="none"),)),
        revision("closing", story="over", flags=Flags(closed=True), version_created=NOON + timedelta(hours=1)),
    )
    paths = {
        "news": "/",
        "news-older": "/?before=1-9",
        "news-end": "/?before=1-0",
        "stories": "/stories",
        "story": "/stories/harbour-flood",
        "story-closed": "/stories/over",
        "tag": "/tags/medtop:20000150",
        "author": "/authors/ana-ferreira",
        "own": f"/updates/{full('pinned').update_id}/tide-gates-closed",
        "own-corrected": f"/updates/{full('full-1').update_id}/full-1",
        "own-pending": f"/updates/{revision('pending').update_id}/words",
        "own-nothing": f"/updates/{revision('nothing').update_id}/words",
        "own-translated": f"/updates/{revision('de').update_id}/words",
        "poll": f"/polls/{full('full-1').update_id}/fifth-gate",
        "text": "/text",
        "search": "/search?q=gates",
        **{f"own-body-{n}": f"/updates/{revision(f'body-{n}').update_id}/words" for n in range(len(BODIES))},
    }
    for name, path in paths.items():
        answer = await live.get(path)
        assert answer.status_code == 200, (name, answer.text)
        pages[name] = answer.content
    live.take(
        full("pinned", 2, kind="kill", removal="killed", headline="", body_html="", text="", media=(), authors=())
    )
    pages["killed-news"] = (await live.get("/")).content
    pages["killed-own"] = (await live.get(paths["own"])).content
    return pages


async def test_every_state_is_valid_html(make_replica: Make, tmp_path: Path) -> None:
    """Empty, live, closed, killed, corrected, waiting for a picture, with bodies nested in every wrong way: no error."""
    pages = await states(make_replica)
    for name, page in pages.items():
        strictly_parsed(name, page)
    found = checked(pages, tmp_path)
    if found is None:
        skip_or_fail("REQUIRE_BROWSER", "html5lib found nothing; the Nu HTML checker cannot be had here")
    assert found == []
