"""Every naughty string through the whole pipeline: unharmed in the API, harmless on the page."""

import json

import html5lib
import pytest

from support.pipeline import Pipeline
from support.places import conformance
from support.waiting import eventually

pytestmark = [pytest.mark.flow, pytest.mark.conformance]

BATCH = 100
LEADING = {"href", "src", "srcset", "action", "formaction", "data", "poster", "{http://www.w3.org/1999/xlink}href"}
XHTML = "{http://www.w3.org/1999/xhtml}"


def letters(text: str) -> str:
    """What is left of a text that neither white space nor control characters can change."""
    return "".join(character for character in text if character.isprintable() and not character.isspace())


def running_parts(page: str) -> tuple[int, set[str]]:
    """How many scripts a page has, and which attributes of it would run or lead somewhere by script."""
    tree = html5lib.parse(page)
    live = {
        f"{element.tag} {name}={value[:40]}"
        for element in tree.iter()
        if isinstance(element.tag, str)
        for name, value in element.attrib.items()
        if name.startswith("on")
        or name == "http-equiv"
        or (name in LEADING and str(value).strip().lower().startswith(("javascript:", "vbscript:", "data:text")))
    }
    return len(list(tree.iter(f"{XHTML}script"))), live


async def test_naughty_strings_pass_unharmed_and_harmless(pipeline: Pipeline) -> None:
    """What a sender says in headline, body and byline is what the API tells, and no string of it runs on a page."""
    scripts, _ = running_parts((await pipeline.get("/")).text)
    strings = [
        text for text in json.loads(conformance("naughty-strings/blns.json").read_text("utf-8")) if letters(text)
    ]
    said: dict[str, str] = {}
    for first in range(0, len(strings), BATCH):
        batch = strings[first : first + BATCH]
        answer = await pipeline.post(
            *(
                {
                    "guid": f"naughty-{first + number}",
                    "headline": text,
                    "body_text": text,
                    "byline": text,
                    "keywords": [text],
                }
                for number, text in enumerate(batch)
            )
        )
        results = answer.json()["results"]
        assert {result["status"] for result in results} == {"accepted"}
        said |= {result["id"]: text for result, text in zip(results, batch, strict=True)}

    async def told() -> dict[str, str]:
        found: dict[str, str] = {}
        before = ""
        while True:
            answer = (await pipeline.get(f"/v1/updates?limit=100{before}")).json()
            found |= {each["update_id"]: each["headline"] for each in answer["updates"]}
            if not answer["next"]:
                return found
            before = f"&before={answer['next']}"

    headlines = await eventually(told, lambda found: found.keys() >= said.keys(), within_s=60, what="some are missing")
    changed = {text: headlines[each] for each, text in said.items() if letters(headlines[each]) != letters(text)}
    assert changed == {}
    for path in ("/", *(f"/updates/{each}/x" for each in list(said)[::7])):
        page = await pipeline.get(path)
        assert page.status_code == 200, path
        count, live = running_parts(page.text)
        assert live == set(), path
        assert count <= scripts + 1, path
