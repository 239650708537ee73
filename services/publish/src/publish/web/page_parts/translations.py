"""The same update in several languages: which there are, and which of them are behind their original."""

from collections.abc import Iterable
from dataclasses import dataclass

from publish.representation.reader_update import ReaderUpdate
from publish.representation.words import language_of, modified_at


@dataclass(frozen=True, slots=True)
class Translation:
    """An update of a family, the original among them."""

    update: ReaderUpdate
    is_original: bool
    is_stale: bool
    """Whether the original was given other words, or withdrawn, since this one was written."""


@dataclass(frozen=True, slots=True)
class Family:
    """An original, where it is still to be seen, with its translations by language; nothing where there are none."""

    original_withdrawn: bool
    members: tuple[Translation, ...]

    def of(self, update_id: str) -> Translation | None:
        """A member."""
        return next((each for each in self.members if each.update.update_id == update_id), None)

    def linked(self) -> list[tuple[str, Translation]]:
        """The members with their languages, one of each language, as search engines want them; none where there is but one."""
        by_language: dict[str, Translation] = {}
        for each in self.members:
            if language := language_of(each.update):
                by_language.setdefault(language, each)
        return list(by_language.items()) if len(by_language) > 1 else []


def family_of(update: ReaderUpdate) -> str:
    """The id of the original."""
    return update.translation_of or update.update_id


def family(original: ReaderUpdate | None, others: Iterable[ReaderUpdate], *, withdrawn: bool) -> Family:
    """The family of an original that may be withdrawn, and of its translations."""
    changed_at = original.updated_at if original is not None else None
    members = [
        Translation(
            each, is_original=False, is_stale=withdrawn or (changed_at is not None and changed_at > modified_at(each))
        )
        for each in sorted(others, key=lambda each: (each.language, each.first_published_at))
        if not each.is_removal and (original is None or each.update_id != original.update_id)
    ]
    if original is not None and members:
        members.insert(0, Translation(original, is_original=True, is_stale=False))
    return Family(withdrawn, tuple(members))
