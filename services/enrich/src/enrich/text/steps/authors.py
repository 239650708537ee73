"""The authors step: the names of a byline, resolved against the directory."""

from collections.abc import Sequence

from enrich.reference.directory import MOST_REMEMBERED, BylineName, Contribution, Directory, name_key
from enrich.short_text import LONGEST_NAME, cut, line_of
from enrich.text.domain.attachments import Authorship
from enrich.text.steps.budget import Budget
from enrich.text.steps.byline.names import kind_of
from enrich.text.steps.byline.no_names import no_name
from enrich.text.steps.byline.parser import LONGEST_BYLINE, MOST_NAMES, read_byline
from shared.messages import Author, Creator
from shared.messages.limits import LONGEST


def attach_authors(
    byline: str,
    creators: Sequence[Creator],
    directory: Directory,
    budget: Budget | None = None,
    *,
    source: str | None = None,
    is_own: bool = True,
) -> Authorship:
    """The authors of a version: the byline's names against the directory; the source's creators where it has no byline.

    `source` is whose byline it is, None to look at names alone; `is_own`, whether its writers are the newsroom's.
    """
    budget = budget or Budget()
    byline, creators = byline[:LONGEST_BYLINE], creators[:MOST_NAMES]
    names = list(_read(byline, directory))
    uris = {name_key(creator.name[:LONGEST_NAME]): creator.uri for creator in creators if creator.uri}
    if not any(name.kind == "person" for name in names):
        names = [*_named(creators), *names]
    people = any(name.kind == "person" for name in names)
    is_aside = any(name.kind == "agency" for name in names)
    authors: list[Author] = []
    unknown: list[str] = []
    because: list[str] = []
    seen: set[tuple[str, str]] = set()
    for name in names:
        if budget.spent:
            break
        if name.kind != "person" and people:
            because.append(f"{name.name}: an affiliation, since people are named")
            continue
        found = directory.resolve(
            name.name, uris.get(name_key(name.name)), source=source, is_own=is_own, is_aside=is_aside
        )
        key = (found.profile.id if found.profile else name_key(name.name), name.contribution)
        if key in seen:
            continue
        seen.add(key)
        located = cut(name.located, LONGEST["located"]) if name.located else None
        if found.profile is not None:
            authors.append(_as(found.profile.author, name.contribution, located))
        else:
            authors.append(
                Author(
                    name=cut(name.name, LONGEST_NAME),
                    contribution=name.contribution,
                    located=located,
                    kind="person" if name.kind == "person" else "organisation",
                )
            )
            if name.kind == "person":
                unknown.append(name.name)
        because.append(
            f"{name.name}: {found.because if name.kind == 'person' else 'an agency or a desk, kept as text'}"
        )
    return Authorship(tuple(authors), tuple(unknown), tuple(because), budget.missed)


def _read(byline: str, directory: Directory) -> tuple[BylineName, ...]:
    """The names of a byline, remembered: bylines come again."""
    known = directory.bylines.get(byline)
    if known is None:
        known = tuple(read_byline(byline, directory))
        if len(directory.bylines) < MOST_REMEMBERED:
            directory.bylines[byline] = known
    return known


def _as(author: Author, contribution: Contribution, located: str | None) -> Author:
    if contribution == "writing" and located is None:
        return author
    return author.model_copy(update={"contribution": contribution, "located": located})


def _named(creators: Sequence[Creator]) -> list[BylineName]:
    roles: dict[str, Contribution] = {
        "editor": "editing",
        "photographer": "photography",
        "translator": "translation",
        "reporter": "reporting",
    }
    names = []
    for creator in creators[:MOST_NAMES]:
        name = line_of(creator.name, LONGEST_NAME)
        role = (creator.role or "").strip().casefold()[-LONGEST_NAME:]
        # A login, a code or a machine is nobody whom readers should see, and a contributor who did nothing is no author.
        if not name or no_name(name) == "other" or role.endswith("contributor"):
            continue
        contribution: Contribution = next((value for word, value in roles.items() if role.endswith(word)), "writing")
        names.append(BylineName(name, contribution, None, kind_of(name)))
    return names
