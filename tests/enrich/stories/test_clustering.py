"""Which updates tell the same, and what is left of one that readers must not see any more."""

import re
from datetime import timedelta

import pytest

from enrich.reference.agencies import family_of
from enrich.stories.cluster import MOST_ALIKE
from enrich.stories.clustering import MOST_MEMBERS, StoryCandidate, StoryClusters, StoryMembership
from enrich.stories.events.signature import event_signature, terms_of
from support.incoming import NINE

FERRY = (
    "A ferry carrying 120 people ran aground off Port Marrow on Monday morning, the coastguard said. No one was hurt and "
    "passengers were being taken off by lifeboat, while the operator said that the sea had been calm at the time."
)


def place(clusters: StoryClusters, name: str, text: str = FERRY, *, hours: float = 0, story: str | None = None, headline: str = "") -> StoryMembership:  # fmt: skip
    """An update of a family of that name."""
    candidate = StoryCandidate(
        update_id=f"{name}-id", family=name.split("-", maxsplit=1)[0], headline=headline or f"Secret {name}", text=text,
        own_story=story, at=NINE + timedelta(hours=hours),
    )  # fmt: skip
    return clusters.place(candidate)


def test_two_families_with_near_the_same_text_are_one_story_and_one_witness() -> None:
    """A few words differ; story and reason are the same for both, and nobody confirms it in words of their own."""
    clusters = StoryClusters()
    assert place(clusters, "pa") == StoryMembership()
    second = place(clusters, "afp", FERRY.replace("were being taken off", "were taken off"))
    first = clusters.membership("pa-id")
    assert first.story == second.story is not None
    assert first.families == second.families == ("afp",)
    assert "% that of pa" in second.because
    assert second.moved == ("pa-id",)


@pytest.mark.parametrize(
    ("name", "text", "hours"),
    [
        ("pa-again", FERRY, 0),
        (
            "afp",
            "The council agreed on a budget for the coming year after a night of talks, the mayor said on Monday.",
            0,
        ),
        ("afp", FERRY, 60),
        ("afp", "Alert", 0),
    ],
)
def test_one_family_another_text_another_day_and_a_few_words_are_no_story(name: str, text: str, hours: float) -> None:
    """A source's own repeats corroborate nothing, and neither does what is old, or too short to tell."""
    clusters = StoryClusters()
    place(clusters, "pa")
    assert place(clusters, name, text, hours=hours).story is None


def test_headlines_in_the_same_words_gather_what_is_told_in_others() -> None:
    """Three agencies write their own texts of one event."""
    clusters = StoryClusters()
    place(
        clusters,
        "pa",
        "Own words of the first agency about it, and more.",
        headline="Port Marrow ferry runs aground with 120 on board",
    )
    second = place(clusters, "afp", "Altogether another text by the second one, longer.", headline="Ferry with 120 aboard aground off Port Marrow")  # fmt: skip
    assert second.story is not None
    assert second.families == ("afp", "pa")


def test_a_flood_of_one_text_is_not_told_of_and_not_compared_without_bound() -> None:
    """However many tell the same, the next one meets a few, and the others hear only of what changes for them."""
    clusters = StoryClusters()
    place(clusters, "pa")
    assert place(clusters, "afp").moved == ("pa-id",)
    for number in range(300):
        placed = place(clusters, f"afp-{number}")
        assert (placed.story == clusters.membership("pa-id").story) is (number < MOST_MEMBERS - 2)
        assert placed.moved == ()
    assert max(map(len, clusters._index.bands.values())) <= MOST_ALIKE


def test_why_two_accounts_are_one_story_is_told_in_their_words() -> None:
    """An editor reads names and words as they stand, and whose they are."""
    clusters = StoryClusters()
    place(clusters, "pa", "The ferry Gannet of Coastline Ferries lost power off Port Marrow.", headline="Ferry Gannet adrift off Port Marrow")  # fmt: skip
    second = place(clusters, "afp", "Coastline said its ship Gannet was without power near Port Marrow.", headline="Gannet drifts: ferry without power off Marrow", hours=1.5)  # fmt: skip
    assert second.because.startswith("same story because pa tells of ")
    assert {"Gannet", "Marrow"} <= set(re.findall(r"\w+", second.because))
    assert "within 2 h" in second.because
    assert "same story because afp tells of" in clusters.membership("pa-id").because


def test_a_round_up_is_no_teller_of_what_it_sums_up() -> None:
    """Headlines that share nothing keep texts apart that share a sentence."""
    clusters = StoryClusters()
    place(clusters, "pa", "The ferry Gannet of Coastline Ferries lost power off Port Marrow.", headline="Ferry Gannet adrift off Port Marrow")  # fmt: skip
    summed = place(clusters, "afp", "The ferry Gannet is adrift off Port Marrow. Nine died in Kenya.", headline="Five things to know")  # fmt: skip
    assert summed.story is None


def test_a_story_that_a_source_names_names_the_cluster() -> None:
    """What is like it joins that story, whichever came first."""
    clusters = StoryClusters()
    place(clusters, "pa")
    place(clusters, "afp", story="ferry-aground")
    assert clusters.membership("pa-id").story == "ferry-aground"


def test_the_words_of_a_removed_update_are_nowhere_left() -> None:
    """Label, reason and id of a story hold nothing that a killed update said."""
    clusters = StoryClusters()
    place(clusters, "pa")
    place(clusters, "afp", hours=0.1)
    place(clusters, "dpa", hours=0.2)
    assert clusters.membership("afp-id").label == "Secret pa"
    assert set(clusters.remove("pa-id")) == {"afp-id", "dpa-id"}
    for left in (clusters.membership("afp-id"), clusters.membership("dpa-id")):
        assert "Secret pa" not in f"{left.label} {left.because} {left.story}"
        assert left.families == ("afp",)
    assert clusters.membership("pa-id") == StoryMembership()


def test_what_is_printed_from_an_agency_is_of_its_family() -> None:
    """The credit says whose words they are; a newsroom may say which sources are one house."""
    assert family_of("daily", "Agence France-Presse", {}) == "afp"
    assert family_of("daily", "The Daily", {}) == "daily"
    assert family_of("pa-sport", "", {"pa-sport": "pa"}) == "pa"


def test_the_window_is_bounded() -> None:
    """Beyond its number and its hours, the oldest are forgotten, with all their places."""
    clusters = StoryClusters(most=3)
    for number in range(10):
        place(clusters, f"s{number}", f"{FERRY} {number}")
    assert len(clusters._updates) == 3
    place(clusters, "late", "Something else altogether was said on another day by somebody.", hours=100)
    assert len(clusters._updates) == 1
    left = {key for entry in clusters._updates.values() for key in entry.signature.keys}
    assert clusters._index.keys.keys() == left
    assert clusters._index.counts.total() == len(set(clusters._updates["late-id"].signature.terms))


@pytest.mark.parametrize("word", ["COP28", "Covid19", "Type45", "Euro2028", "CAC40", "MAE03", "GPT5x", "Q400", "كأس28"])
def test_a_capital_word_with_a_number_is_a_name_as_any_other(word: str) -> None:
    """The number belongs to the name, and nothing is asked for that is not there."""
    signature = event_signature(
        "Climate talks enter last night", f"Ministers haggled at the {word} summit, and {word}."
    )
    assert set(signature.named) <= set(signature.terms)
    assert signature.terms.count(terms_of(word)[0]) == 1


def test_one_place_and_one_word_are_no_story() -> None:
    """A place of two words that the dictionary knows is one name, not three; what reopens there is another thing each time."""
    clusters = StoryClusters()
    for update_id, family, headline, text in (
        ("hall", "pa", "Port Marrow's fish hall reopens after two years of repairs", "Traders carried the first crates through the new oak doors of Port Marrow's fish hall at half past four this morning, two years after a storm took the roof off."),
        ("airport", "afp", "Airport reopens as the fog lifts", "Port Marrow airport has reopened. The first flight took off shortly after the fog lifted from the runway. Delays of up to two hours are expected until noon."),
        ("buses", "dpa", "Council approves buses through the night, 31 to 14", "Buses will run through the night in Port Marrow from the spring. The council approved the plan by 31 votes to 14 after two hours of debate."),
    ):  # fmt: skip
        placed = clusters.place(
            StoryCandidate(
                update_id=update_id, family=family, headline=headline, text=text, own_story=None, at=NINE,
                names=("place:port-marrow",),
            )
        )  # fmt: skip
        assert placed.story is None


def test_what_is_not_sure_has_no_part_in_what_readers_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is in the cluster, for the desk; the two that are sure are told of, by the words of the first of them."""
    monkeypatch.setattr("enrich.stories.clustering.LEAST_SURE", 1.5)
    clusters = StoryClusters()
    place(clusters, "pa", "The ferry Gannet of Coastline Ferries lost power off Port Marrow.", headline="Ferry Gannet adrift off Port Marrow")  # fmt: skip
    second = place(clusters, "afp", "Coastline said its ship Gannet was without power near Port Marrow.", headline="Gannet drifts: ferry without power off Marrow")  # fmt: skip
    assert second.story is not None
    assert (second.is_sure, second.families) == (False, ())
    monkeypatch.undo()
    third = place(clusters, "dpa", "The ferry Gannet of Coastline Ferries was without power off Port Marrow.", headline="Ferry Gannet adrift off Port Marrow", hours=0.1)  # fmt: skip
    assert third.story == second.story
    assert third.is_sure
    sure = [each for each in ("pa-id", "afp-id", "dpa-id") if clusters.membership(each).is_sure]
    assert len(sure) == 2
    assert {clusters.membership(each).families for each in sure} == {third.families}
