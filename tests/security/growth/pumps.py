"""Hostile text of any length: what makes a careless function take more time, or more room, than the text is long.

A pump is a function of n that returns about n characters. Every one of `PUMPS` is there twice: pure, and between two words
(`… between words`), since many expressions backtrack only when something follows the run they have eaten.
"""

from collections.abc import Callable

Pump = Callable[[int], str]


def _repeated(unit: str) -> Pump:
    return lambda n: unit * max(1, n // len(unit))


def _nested(opens: str, closes: str, inside: str = "x") -> Pump:
    """`opens` as often as it fits, then what is inside, then as many of `closes`."""

    def made(n: int) -> str:
        levels = max(1, n // (len(opens) + len(closes)))
        return opens * levels + inside + closes * levels

    return made


def _between(before: str, unit: str, after: str) -> Pump:
    return lambda n: before + unit * max(1, (n - len(before) - len(after)) // len(unit)) + after


def _unequal_rows(n: int) -> str:
    """One row of many cells and many rows of one."""
    cells = max(1, n // 28)
    return "<table><tr>" + "<td>a</td>" * cells + "</tr>" + "<tr><td>b</td></tr>" * cells + "</table>"


def _wide_spans(n: int) -> str:
    """Cells that claim to be as wide and as high as a table may be."""
    unit = '<td colspan="1000" rowspan="65534">a</td>'
    return "<table><tr>" + unit * max(1, n // len(unit)) + "</tr><tr><td>b</td></tr></table>"


def _many_attributes(n: int) -> str:
    return "<p " + " ".join(f'a{number}="v"' for number in range(max(1, n // 10))) + ">x</p>"


def _namespaces(n: int) -> str:
    return "<p " + " ".join(f'xmlns:n{number}="urn:{number}"' for number in range(max(1, n // 24))) + ">x</p>"


def _distinct_words(n: int) -> str:
    return " ".join(f"word{number}" for number in range(max(1, n // 9)))


def _distinct_names(n: int) -> str:
    """Words in capitals that are all different, as a list of people is."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    made = (
        f"X{letters[i % 26]}{letters[i // 26 % 26]}{letters[i // 676 % 26]} Y{letters[i % 26]}{letters[i // 26 % 26]}"
        for i in range(max(1, n // 9))
    )
    return ", ".join(made)


_PURE: dict[str, Pump] = {
    # Blanks of every kind.
    "spaces": _repeated(" "),
    "tabs": _repeated("\t"),
    "spaces and tabs": _repeated(" \t"),
    "form feeds": _repeated("\x0c"),
    "no-break spaces": _repeated("\xa0"),
    "em spaces": _repeated("\u2003"),
    "ideographic spaces": _repeated("\u3000"),
    "zero-width spaces": _repeated("\u200b"),
    "zero-width joiners": _repeated("\u200d"),
    "soft hyphens": _repeated("\xad"),
    "byte order marks": _repeated("\ufeff"),
    "blanks of all kinds": _repeated(" \xa0\u2003\t\u3000\u200b"),
    # Line ends.
    "carriage returns": _repeated("\r"),
    "line feeds": _repeated("\n"),
    "carriage returns and line feeds": _repeated("\r\n"),
    "line separators": _repeated("\u2028"),
    "blank lines with blanks": _repeated("\n   "),
    "blanks before line ends": _repeated("   \n"),
    "blanks, then line ends": lambda n: " " * (n // 2) + "\n" * (n // 2),
    "line ends, then blanks": lambda n: "\n" * (n // 2) + " " * (n // 2),
    "indented lines": _repeated("\n   word"),
    "lines of one letter": _repeated("a\n"),
    "paragraphs of one letter": _repeated("a\n\n"),
    "bullets": _repeated("\n* a"),
    "columns": _repeated("a   b   c\n"),
    "columns without lines": _repeated("a   "),
    # Punctuation.
    "double quotes": _repeated('"'),
    "single quotes": _repeated("'"),
    "curly quotes": _repeated("\u201c\u201d"),
    "opening guillemets": _repeated("\xab"),
    "opening brackets": _repeated("("),
    "closing brackets": _repeated(")"),
    "square brackets": _repeated("["),
    "braces": _repeated("{"),
    "nested brackets": _nested("(", ")"),
    "nested square brackets": _nested("[", "]"),
    "nested objects": _nested('{"a":', "}", "1"),
    "dashes": _repeated("-"),
    "em dashes": _repeated("\u2014"),
    "em dashes and blanks": _repeated(" \u2014 "),
    "dots": _repeated("."),
    "dots and blanks": _repeated(". "),
    "ellipses": _repeated("\u2026"),
    "slashes": _repeated("/"),
    "bars": _repeated("|"),
    "at signs": _repeated("@"),
    "addresses of mail": _repeated("a@b.c "),
    "letters before an at sign": lambda n: "a" * n + "@",
    "backslashes": _repeated("\\"),
    "escaped quotes": _repeated('\\"'),
    "percent signs": _repeated("%"),
    "percent escapes": _repeated("%20"),
    "commas": _repeated(","),
    "commas and blanks": _repeated(", "),
    "colons": _repeated(":"),
    "semicolons": _repeated(";"),
    "underlines": _repeated("_"),
    "asterisks": _repeated("*"),
    "hashes": _repeated("#"),
    "question marks": _repeated("?! "),
    "equals signs": _repeated("="),
    "grave accents": _repeated("`"),
    # Letters, digits and marks.
    "letters": _repeated("a"),
    "capital letters": _repeated("A"),
    "letters and blanks": _repeated("a "),
    "sharp s": _repeated("\xdf"),
    "dotted capital i": _repeated("\u0130"),
    "ligatures": _repeated("\ufdfa"),
    "digits": _repeated("1"),
    "digits and dots": _repeated("1."),
    "digits and commas": _repeated("1,"),
    "other digits": _repeated("\u0661"),
    "combining marks": _repeated("\u0301"),
    "letters with many marks": _repeated("a\u0301\u0302\u0303\u0304"),
    "marks out of order": lambda n: "a" + "\u0301\u0323" * (n // 2),
    "bidi embeddings": _repeated("\u202b"),
    "bidi overrides, closed": _nested("\u202e", "\u202c"),
    "bidi isolates": _repeated("\u2067"),
    "surrogate pairs": _repeated("\U0001f600"),
    "emoji joined": _repeated("\U0001f468\u200d"),
    "flags": _repeated("\U0001f1ea"),
    "Han": _repeated("\u65b0\u805e"),
    "Arabic": _repeated("\u062e\u0628\u0631 "),
    # Words.
    "capital letter words": _repeated("Ab "),
    "words all in capitals": _repeated("AB "),
    "initials": _repeated("A. "),
    "names": _repeated("Anna Bell, "),
    "names and": _repeated("Anna Bell and "),
    "bylines": _repeated("By "),
    "bylines with names": _repeated("By Anna Bell "),
    "bylines on lines": _repeated("By Anna Bell\n"),
    "words": _repeated("the bridge is closed "),
    "distinct words": _distinct_words,
    "distinct names": _distinct_names,
    "sentences": _repeated("It rained. "),
    "dates": _repeated("2026-03-04T05:06:07Z "),
    "dates in words": _repeated("March 3 "),
    "offsets": _repeated("+01:00"),
    "months": _repeated("Mar "),
    "URLs": _repeated("https://example.org/a "),
    "one URL": _between("https://example.org/", "a/", ""),
    "URL of dots": _between("https://", "a.", "org/"),
    "schemes": _repeated("https://"),
    "javascript": _repeated("javascript:"),
    "datelines": _repeated("KYIV, March 3 (Reuters) - "),
    "notes to editors": _repeated("Eds: "),
    # References and tags.
    "entities": _repeated("&amp;"),
    "entities of blanks": _repeated("&#x20;"),
    "entities of tags": _repeated("&lt;p&gt;"),
    "entities, escaped again": lambda n: "&" + "amp;" * (n // 4),
    "entities without end": _repeated("&#"),
    "ampersands": _repeated("&"),
    "long entity": _between("&", "a", ";"),
    "long numeric entity": _between("&#", "1", ";"),
    "opening angles": _repeated("<"),
    "closing angles": _repeated(">"),
    "open tags": _repeated("<p>"),
    "open inline tags": _repeated("<b>"),
    "open tags with blanks": _repeated("<p >"),
    "closed tags": _repeated("</p>"),
    "empty paragraphs": _repeated("<p></p>"),
    "paragraphs of blanks": _repeated("<p> </p>"),
    "paragraphs": _repeated("<p>a</p>"),
    "line breaks": _repeated("<br>"),
    "line breaks in pairs": _repeated("<br/><br/>\n"),
    "tags without end": _repeated("<p "),
    "closing tags without end": _repeated("</p "),
    "scripts without end": _repeated("<script>"),
    "styles": _repeated("<style>a</style>"),
    "titles without end": _repeated("<title>"),
    "text areas without end": _repeated("<textarea>"),
    "bodies": _repeated("<body>"),
    "frames": _repeated("<iframe>"),
    "comment openers": _repeated("<!--"),
    "comment with dashes": _between("<!--", "--", ">"),
    "CDATA openers": _repeated("<![CDATA["),
    "CDATA closers": _repeated("]]>"),
    "marked sections": _repeated("<!["),
    "declarations": _repeated("<!"),
    "instructions": _repeated("<?"),
    "document types": _repeated("<!DOCTYPE a>"),
    "attribute without end": _between('<a href="', "a", ""),
    "attributes without end": _repeated('<a href="'),
    "attribute of blanks": _between('<a href="', " ", '">x</a>'),
    "blanks in a tag": _between("<p", " ", ">x</p>"),
    "many attributes": _many_attributes,
    "many namespaces": _namespaces,
    "long tag name": _between("<", "a", ">x"),
    "links": _repeated('<a href="/">a</a>'),
    "images": _repeated('<img src="/a.png">'),
    "nested paragraphs": _nested("<p>", "</p>"),
    "nested divisions": _nested("<div>", "</div>"),
    "nested inline tags": _nested("<b>", "</b>"),
    "nested spans with a blank": _nested("<span> ", "</span>"),
    "nested quotes": _nested("<blockquote>", "</blockquote>"),
    "nested fonts": _nested("<font>", "</font>"),
    "misnested tags": _repeated("<b><i></b></i>"),
    "formatting over paragraphs": _repeated("<b><p>"),
    "links over blocks": _repeated("<a><div>"),
    "nested sections": _nested("<section>", "</section>"),
    # Tables and lists.
    "tables": _repeated("<table><tr><td>a</td></tr></table>"),
    "tables in tables": _nested("<table><tr><td>", "</td></tr></table>"),
    "tables in tables, open": _repeated("<table><tr><td>"),
    "tables in tables with words": _nested("<table><tr><td>a</td><td>", "</td></tr></table>"),
    "text in tables": _repeated("<table>a"),
    "rows": lambda n: "<table>" + "<tr><td>a</td></tr>" * (n // 19) + "</table>",
    "cells": lambda n: "<table><tr>" + "<td>a</td>" * (n // 10) + "</tr></table>",
    "unequal rows": _unequal_rows,
    "wide spans": _wide_spans,
    "captions": _repeated("<table><caption>a</caption>"),
    "lists": _repeated("<ul><li>a</li></ul>"),
    "list of one": lambda n: "<ul>" + "<li>a</li>" * (n // 10) + "</ul>",
    "lists in lists": _nested("<ul><li>", "</li></ul>"),
    "lists in lists, open": _repeated("<ul><li>"),
    "definition lists": _nested("<dl><dd>", "</dd></dl>"),
    "selections": _repeated("<select><option>"),
    "mathematics": _nested("<math><mi>", "</mi></math>"),
    "drawings": _nested("<svg><g>", "</g></svg>"),
}  # fmt: skip


def _wrapped(pump: Pump) -> Pump:
    return lambda n: f"a{pump(n)}b"


PUMPS: dict[str, Pump] = _PURE | {f"{name} between words": _wrapped(pump) for name, pump in _PURE.items()}
