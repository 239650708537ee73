"""What machines may do with what is published, said in every place where machines look, from one setting.

- `robots.txt` (RFC 9309): the crawlers that gather for training of models, by name; `License` names the terms (RSL 1.0)
- `/.well-known/tdmrep.json`, the headers `tdm-reservation` and `tdm-policy` and their meta elements (TDMRep, W3C community
  group 2024): text and data mining is reserved, by article 4 of directive (EU) 2019/790
- `/rsl.xml` and the link to it (RSL 1.0, https://rslstandard.org/rsl)

`noai` in X-Robots-Tag or a meta element is no standard, and is not sent.
"""

from typing import Literal
from xml.sax.saxutils import escape, quoteattr

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from publish.settings import Settings
from shared.http.problem import Problem
from shared.http.query import with_query

MachineRights = Literal["open", "search", "none"]
"""`open` reserves nothing; `search` lets search engines index, and reserves mining and the training and feeding of models;
`none` reserves search as well."""

AI_CRAWLERS = (
    "AI2Bot", "Amazonbot", "anthropic-ai", "Applebot-Extended", "Bytespider", "CCBot", "ClaudeBot", "cohere-ai", "cohere-training-data-crawler",
    "Diffbot", "FacebookBot", "Google-CloudVertexBot", "Google-Extended", "GPTBot", "img2dataset", "Meta-ExternalAgent", "omgili", "PanguBot",
    "Timpibot",
)  # fmt: skip
"""Names under which models' owners say that they gather for training; those that fetch for a reader's question are not here."""

RSL_PATH = "/rsl.xml"
TDM_PATH = "/.well-known/tdmrep.json"
_CACHE = {"Cache-Control": "public, max-age=3600", "X-Content-Type-Options": "nosniff"}


def headers_of(rights: MachineRights, site_url: str, terms_url: str) -> list[tuple[bytes, bytes]]:
    """The headers of a page; none where nothing is reserved."""
    if rights == "open":
        return []
    link = f'<{site_url}{RSL_PATH}>; rel="license"; type="application/rsl+xml"'
    headers = [(b"tdm-reservation", b"1"), (b"link", link.encode())]
    return [*headers, (b"tdm-policy", terms_url.encode())] if terms_url else headers


def robots_txt(rights: MachineRights, site_url: str) -> str:
    """The lines for crawlers."""
    closed = ["/"] if rights == "none" else ["/v1/", "/search", "/embed/", "/text"]
    everybody = ["User-agent: *", *(f"Disallow: {path}" for path in closed)]
    models = [*(f"User-agent: {name}" for name in AI_CRAWLERS), "Disallow: /"] if rights == "search" else []
    licence = [f"License: {site_url}{RSL_PATH}"] if rights != "open" else []
    groups = ["\n".join(lines) for lines in (everybody, models, licence) if lines]
    sitemaps = "\n".join(f"Sitemap: {site_url}/{name}" for name in ("sitemap.xml", "sitemap-news.xml"))
    return "\n\n".join([*groups, sitemaps]) + "\n"


def tdmrep(terms_url: str) -> list[dict[str, object]]:
    """The reservation of all that the site has."""
    return [{"location": "/", "tdm-reservation": 1, **({"tdm-policy": terms_url} if terms_url else {})}]


def rsl(rights: MachineRights, site_url: str, name: str, terms_url: str) -> str:
    """The licence of all that the site has."""
    permits = '<permits type="usage">search</permits>' if rights == "search" else ""
    denied = "ai-all" if rights == "search" else "all"
    terms = f"<terms>{escape(terms_url)}</terms>" if terms_url else ""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<rsl xmlns="https://rslstandard.org/rsl">'
        f"<content url={quoteattr(site_url + '/*')}>"
        f'<license>{permits}<prohibits type="usage">{denied}</prohibits></license>'
        f"<copyright>{escape(name)}</copyright>{terms}</content></rsl>\n"
    )


class MachineRightsRoutes:
    """The files that machines look for."""

    def __init__(self, settings: Settings) -> None:
        self._rights = settings.publish_machine_rights
        self._site_url = settings.publish_site_url.rstrip("/")
        self._name = settings.publish_site_name
        self._terms_url = settings.publish_machine_terms_url

    def routes(self) -> list[Route]:
        """Where each is."""
        return [
            Route("/robots.txt", with_query(self.robots)),
            Route(TDM_PATH, with_query(self.tdm)),
            Route(RSL_PATH, with_query(self.licence)),
        ]

    async def robots(self, _: Request) -> Response:
        """`GET /robots.txt`."""
        return PlainTextResponse(robots_txt(self._rights, self._site_url), headers=_CACHE)

    async def tdm(self, _: Request) -> Response:
        """`GET /.well-known/tdmrep.json`."""
        self._refuse_if_open()
        return JSONResponse(tdmrep(self._terms_url), headers=_CACHE)

    async def licence(self, _: Request) -> Response:
        """`GET /rsl.xml`."""
        self._refuse_if_open()
        text = rsl(self._rights, self._site_url, self._name, self._terms_url)
        return Response(text, media_type="application/rsl+xml", headers=_CACHE)

    def _refuse_if_open(self) -> None:
        if self._rights == "open":
            raise Problem(404, "not-found", "nothing is reserved here")
