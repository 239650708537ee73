"""The gate's own rules, and that every mutant still has its place in the code."""

from pathlib import Path

from oracle.mutants.gate import ROOT, Mutant, Result, applied, killed_share, mutants, verdict

ONE = Mutant("one", "a bug", "tests/x", "a.py", "old = 1", "old = 2")


def test_there_are_enough_and_each_says_what_it_stands_for() -> None:
    """At least fifty, of every service, each with a check that is there."""
    found = mutants()
    assert len(found) >= 50
    for part in ("shared", "services/ingest", "services/enrich", "services/publish"):
        assert any(each.file.startswith(part) for each in found)
    for mutant in found:
        assert mutant.models
        for each in mutant.check.split():
            path, _, test = each.partition("::")
            if not each.startswith("-"):
                assert (ROOT / path).exists(), mutant.name
                assert not test or f"def {test}(" in (ROOT / path).read_text(), mutant.name


def test_mutants_apply() -> None:
    """The text that each changes is in its file, once, but for a few: whoever changes that code writes the mutant anew."""
    found = mutants()
    astray = [
        each.name for each in found if (ROOT / each.file).read_text().count(each.old) != 1 or each.old == each.new
    ]
    assert len(astray) * 20 <= len(found), astray


def test_a_mutant_is_put_in_its_place_only(tmp_path: Path) -> None:
    """Where the text is not there, or twice, nothing is changed."""
    (tmp_path / "a.py").write_text("old = 1\n")
    assert applied(ONE, tmp_path) == "old = 1\n"
    assert (tmp_path / "a.py").read_text() == "old = 2\n"
    assert applied(ONE, tmp_path) is None
    (tmp_path / "a.py").write_text("old = 1\nold = 1\n")
    assert applied(ONE, tmp_path) is None


def test_the_gate_closes_for_what_survives() -> None:
    """Killed before and not now; never explained; or too many of them."""
    results: dict[str, Result] = {"one": "survived"}
    assert len(verdict([ONE], results, {"one": "killed"})) == 2
    assert "nobody says why" in verdict([ONE], results, {"one": "survived"})[0]
    assert verdict([ONE], {"one": "killed"}, {"one": "killed"}) == []
    assert "write it anew" in verdict([ONE], {"one": "does not apply"}, {"one": "killed"})[0]
    assert killed_share(["killed"] * 19 + ["survived", "does not apply"]) == 0.95
