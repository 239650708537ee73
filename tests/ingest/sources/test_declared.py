"""The declarative file of sources."""

import pytest

from ingest.sources.declared import InvalidFile, parse
from shared.access.key import digest_of
from support.source_file import FILE, KEYS


def test_a_file_says_what_a_source_is() -> None:
    """Fields, profile and keys by digest are read; keys come from the environment and are not in the file."""
    north, feed = parse(FILE, KEYS)
    assert north.keys == (digest_of("one"), digest_of("two"))
    assert (north.source.silence_after_s, north.source.profile.language) == (600, "en")
    assert (feed.keys, feed.paused, feed.source.kind) == (None, True, "poll")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[[source]", "not TOML"),
        ("[sources]\nname = 'x'", "unknown table 'sources'"),
        ("[[source]]\nname = 'North Wire'", "name"),
        ("[[source]]\nname = 'n'\nrat_per_s = 3", "rat_per_s"),
        ("[[source]]\nname = 'n'\nkey = 'secret'", "a file holds no keys"),
        ("[[source]]\nname = 'n'\nkey_sha256 = 'abc'", "64 hexadecimal digits"),
        ("[[source]]\nname = 'n'\nkey_env = 'ABSENT'", "the environment has no ABSENT"),
        ("[[source]]\nname = 'n'\nkey_env = ['A', 'A', 'A']", "at most 2"),
        ("[[source]]\nname = 'n'\nkind = 'poll'", "needs a url"),
        ("[[source]]\nname = 'n'\nkind = 'watch'\nfolder = 'copy'", "absolute folder"),
        ("[[source]]\nname = 'n'\n[[source]]\nname = 'n'", "twice"),
        ("[[source]]\nname = 'n'\nsigning_generation = 4", "not set in a file"),
        ("[[source]]\nname = 'n'\n[source.profile]\nlanguag = 'en'", "languag: there is no such setting"),
        ('[[source]]\nname = "n"\ntitle = "x\\u0000y"', "title: control characters"),
        ("[[source]]\nname = 'n'\nformat = 'ninjas'", "format: there is no format 'ninjas': .*ninjs"),
        ("[[source]]\nname = 'n'\nkind = 'poll'\nurl = 'http://'", "url: .*a host is needed"),
        ("[[source]]\nname = 'n'\nkind = 'poll'\nurl = 'ftp://x/'", "url: an http"),
        ("[[source]]\nname = 'n'\nkind = 'watch'\nfolder = '/'", "not the root"),
        ("[[source]]\nname = 'n'\nrate_per_s = inf", "rate_per_s"),
        ("[[source]]\nname = 'n'\nmay = ['publish']", "may.0"),
        ("[[source]]\nname = 'n'\n[source.profile]\npublish = 'later'", "profile.publish"),
        ("[[source]]\nname = 'n'\nmax_body_bytes = 99999999999", "max_body_bytes"),
        (
            "[[source]]\nname = 'n'\nkey_env = 'A'\n[[source]]\nname = 'm'\nkey_env = 'A'",
            "'n' and 'm' have the same key",
        ),
    ],
)
def test_a_file_that_is_wrong_is_told_where(text: str, says: str) -> None:
    """The error names the source and the field, and nothing of the file is applied."""
    with pytest.raises(InvalidFile, match=says):
        parse(text, {"A": "key"})


def test_what_a_source_may_do_is_declared_or_safe() -> None:
    """A wire kills and embargoes, a desk does all, and a list is all there is."""
    text = "[[source]]\nname = 'wire'\n[[source]]\nname = 'desk'\ndesk = true\n[[source]]\nname = 'own'\nmay = ['story', 'pin']"
    powers = {each.source.name: each.source.powers for each in parse(text, {})}
    assert powers == {
        "wire": ("kill", "embargo"),
        "desk": ("pin", "key_event", "alert", "kill", "embargo", "story"),
        "own": ("story", "pin"),
    }
    assert parse("[[source]]\nname = 'none'\nmay = []", {})[0].source.powers == ()
