from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from metta_audio.errors import EncodeError, SettingsError
from metta_audio.rendering.takes import Takes
from metta_audio.rendering.taking import import_takes
from metta_audio.takes.sheet import reading_time


class Page(HTMLParser):
    """What a reader sees: numbers, texts of lines, and all words; and what the page would fetch."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[tuple[str, str]] = []
        self.numbers: list[int] = []
        self.texts: list[str] = []
        self.hints: list[str] = []
        self.words: list[str] = []
        self.fetched: list[str] = []
        self.languages: set[str] = set()
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.fetched += [found[name] for name in ("src", "href", "data") if name in found]
        self.languages.add(found.get("lang", ""))
        if tag not in ("meta", "link", "img", "br", "input"):
            self.open.append((tag, found.get("class") or ""))
        if found.get("class") == "text":
            self.texts.append("")

    def handle_endtag(self, tag):
        assert self.open.pop()[0] == tag

    def handle_data(self, data):
        classes = {name for _, names in self.open for name in names.split()}
        if any(tag in ("style", "title") for tag, _ in self.open):
            return
        self.words.append(data)
        if "number" in classes:
            self.numbers.append(int(data))
        if "text" in classes and "role" not in classes:
            self.texts[-1] += data
        if "hint" in classes:
            self.hints.append(data)


def page(takes, home, **choices):
    takes.write_sheet(home / "sheet.html", **choices)
    return Page((home / "sheet.html").read_text(encoding="utf-8"))


def test_every_line_stands_once_numbered_and_whole(takes, home):
    found = page(takes, home)
    assert found.numbers == [line.number for line in takes.lines]
    assert found.texts == [line.text for line in takes.lines]
    assert found.fetched == []
    assert {"en", "en-us"} <= found.languages


def test_a_page_needs_nothing_else(takes, home):
    takes.write_sheet(home / "sheet.html")
    text = (home / "sheet.html").read_text(encoding="utf-8")
    assert not re.search(r"https?:|@import|url\(|<script|<link", text)
    assert "@media print" in text
    assert 'charset="utf-8"' in text


def test_roles_sections_and_pauses_are_told(takes, home):
    text = " ".join(page(takes, home).words)
    for word in ("Your own voice", "Guide", "Arriving", "Visiting", "Leaving", "two seconds"):
        assert word in text
    assert "[" not in text


def test_one_voice_alone_needs_no_role(fill, home):
    assert "Guide" not in " ".join(page(fill("# One\n\nBe here. Rest.\n"), home).words)


def test_markup_becomes_a_hint_and_is_not_read(fill, home):
    body = (
        '# One & "two"\n\n(Slowly now.)[slow] Say (karuna)[ipa:"kəˈruːnə"] and (rest well)[soft]. '
        '(Dr.)[sub:"Doctor"] Lee is *here*. 5 \\< 6 & more.\n'
    )
    found = page(fill(body), home)
    assert found.texts == ["Slowly now.", "Say karuna and rest well.", "Dr. Lee is here.", "5 < 6 & more."]
    assert found.hints == [
        "slowly",
        "“karuna” is spoken /kəˈruːnə/",
        "softly: “rest well”",
        "for “Dr.” say “Doctor”",
    ]


def test_what_a_script_says_is_no_html(fill, home):
    head = '---\ntitle: "<script>alert(1)</script>"\nminutes: {default: 3, min: 1, max: 60}\n---\n'
    takes = fill('# \\<b>One\n\nBe \\<img src=x> here & "there".\n', head)
    takes.write_sheet(home / "sheet.html")
    text = (home / "sheet.html").read_text(encoding="utf-8")
    assert "<script" not in text
    assert "<img" not in text
    assert "<b>" not in text


def test_only_what_is_missing_under_the_same_numbers(takes, read, home):
    import_takes(takes, [read(1, 2, 3, 4, 5)])
    found = page(takes, home, missing=True)
    assert found.numbers == [line.number for line in takes.lines][5:]
    assert "still missing" in " ".join(found.words)
    other = page(Takes(takes.session, "other"), home, missing=True)
    assert other.numbers == [line.number for line in takes.lines]


def test_nothing_to_print_is_told_and_writes_nothing(takes, read, home, fill):
    import_takes(takes, [read()])
    with pytest.raises(SettingsError, match="has every line"):
        takes.write_sheet(home / "sheet.html", missing=True)
    with pytest.raises(SettingsError, match="no line to read"):
        fill("# One\n\n[bell]\n\n[silence 30s..50m]\n").write_sheet(home / "sheet.html")
    with pytest.raises(EncodeError):
        takes.write_sheet(home)
    assert not list(home.glob("*.html"))


def test_both_boxes_are_there_at_any_width(takes, home):
    takes.write_sheet(home / "sheet.html")
    text = (home / "sheet.html").read_text(encoding="utf-8")
    assert text.count('type="checkbox"') == 2 * len(takes.lines)
    assert not re.search(r"display:\s*none", text)


def test_the_time_it_takes_grows_with_the_lines(takes):
    assert 0 < reading_time(takes.lines[:3]) < reading_time(takes.lines)
