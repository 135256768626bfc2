"""SSML: valid, whole, and nothing in it spoken that the session does not speak."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

import metta_audio as metta
from metta_audio.errors import EncodeError, MettaError
from metta_audio.rendering.ssml import save_ssml, to_ssml
from metta_audio.script.fill import fill
from metta_audio.script.model import Breath, Line, Pause, Session
from metta_audio.script.parse import parse_script
from metta_audio.shelves import Shelves, shipped_root
from metta_audio.speech.lexicon import EMPTY, Lexicon, read_lexicon

NS = "{http://www.w3.org/2001/10/synthesis}"
SCHEMA = etree.RelaxNG(etree.parse(Path(__file__).parent / "ssml-1.1.rng"))
SHELVES = Shelves((shipped_root() / "scripts",), (shipped_root() / "sounds",))
WORDS = read_lexicon(
    'language = "en"\n[words]\nmetta = {ipa = "ˈmɛtɑː", say = "mettah"}\nqi = "chee"\n'
    '"Nhat Hanh" = {ipa = "ˌnɑːt ˈhɑːn"}\n',
    file="x",
)

FRONT = """---
title: 'All & "more" <x>'
minutes: {default: 5, min: 1, max: 60}
language: en-gb
roles:
  self: {pan: -0.2}
  critic: {pan: 0.2}
params:
  name: {type: text, default: ""}
---
"""


def session_of(body: str, **params: object) -> Session:
    script = parse_script((FRONT + body).encode(), name="x", file="x.md")
    return fill(script, library=SHELVES, params=params)  # type: ignore[arg-type]


def ssml_of(body: str, lexicon: Lexicon = WORDS, **params: object) -> etree._Element:
    text = to_ssml(session_of(body, **params), lexicon)
    root = etree.fromstring(text.encode())
    SCHEMA.assertValid(root)
    return root


def inside(body: str, **options) -> str:
    """What stands in the one sentence of ``body``."""
    (sentence,) = ssml_of(body, **options).iter(f"{NS}s")
    written = etree.tostring(sentence, encoding="unicode").removesuffix(sentence.tail or "")
    return re.sub(r"^<s[^>]*>|\n?</s>$", "", written)


PRACTICES = {name: metta.load(f"shipped:{name}") for name in Shelves((shipped_root() / "scripts",), ()).practices()}


@pytest.mark.parametrize("name", PRACTICES)
@pytest.mark.parametrize("length", ["min", "default", "max"])
def test_every_shipped_practice_is_valid_and_whole(name: str, length: str) -> None:
    script = PRACTICES[name]
    session = metta.fill(script, minutes=getattr(script.header.minutes, length), scripts=shipped_root() / "scripts")
    root = etree.fromstring(to_ssml(session, SHELVES.lexicon(session.header)).encode())
    SCHEMA.assertValid(root)
    items = [item for section in session.sections for item in section.items]
    lines = [item for item in items if isinstance(item, Line)]
    assert ["".join(sentence.itertext()).strip() for sentence in root.iter(f"{NS}s")] == [line.text for line in lines]
    # Outside of sentences nothing stands that anyone could speak.
    assert re.sub(r"\s", "", "".join(root.itertext())) == re.sub(r"\s", "", "".join(line.text for line in lines))
    gaps = sum(item.preferred for item in items if isinstance(item, Pause))
    breaths = sum(item.cycle * item.cycles for item in items if isinstance(item, Breath))
    written = sum(int(each.get("time").removesuffix("ms")) for each in root.iter(f"{NS}break"))
    assert written / 1000 == pytest.approx(gaps + breaths, abs=0.001 * len(items))
    titles = [each.get("name") for each in root.iter(f"{NS}mark") if each.get("name").startswith("section:")]
    assert titles == [f"section:{section.title}" for section in session.sections]


def test_there_are_practices() -> None:
    assert len(PRACTICES) >= 4


def test_the_head() -> None:
    root = ssml_of("Hello.")
    assert root.tag == f"{NS}speak"
    assert dict(root.attrib) == {"version": "1.1", "{http://www.w3.org/XML/1998/namespace}lang": "en-GB"}
    assert root[0].get("content") == 'All & "more" <x>'


@pytest.mark.parametrize(
    ("written", "ssml"),
    [
        (r"Safe & sound \<now\> \"so\".", 'Safe &amp; sound &lt;now&gt; "so".'),
        ("Let (go)[slow].", 'Let <prosody rate="80%">go</prosody>.'),
        ("Let (go)[fast].", 'Let <prosody rate="120%">go</prosody>.'),
        ("Let (go)[soft].", 'Let <prosody volume="-4dB">go</prosody>.'),
        ("Let (go)[loud].", 'Let <prosody volume="+4dB">go</prosody>.'),
        ("Let *go*.", 'Let <emphasis level="moderate">go</emphasis>.'),
        ("A (lotus)[ipa:\"ˈləʊtəs\"].", 'A <phoneme alphabet="ipa" ph="ˈləʊtəs">lotus</phoneme>.'),
        ("(5%)[sub:\"five <per> cent\"].", '<sub alias="five &lt;per&gt; cent">5%</sub>.'),
        ("Mettā.", '<phoneme alphabet="ipa" ph="ˈmɛtɑː">Mettā</phoneme>.'),
        ("By Nhat Hanh.", 'By <phoneme alphabet="ipa" ph="ˌnɑːt ˈhɑːn">Nhat Hanh</phoneme>.'),
        (
            "By Nhat *Hanh*.",
            'By <phoneme alphabet="ipa" ph="ˌnɑːt">Nhat</phoneme> <emphasis level="moderate">'
            '<phoneme alphabet="ipa" ph="ˈhɑːn">Hanh</phoneme></emphasis>.',
        ),
        ("Your qi.", 'Your <sub alias="chee">qi</sub>.'),
        (
            "(Of *metta* now)[slow].",
            '<prosody rate="80%">Of <emphasis level="moderate"><phoneme alphabet="ipa" ph="ˈmɛtɑː">metta</phoneme>'
            "</emphasis> now</prosody>.",
        ),
        ("(Let go)[slow; soft] now.", '<prosody rate="80%"><prosody volume="-4dB">Let go</prosody></prosody> now.'),
        ("(a *lotus* b)[ipa:\"ˈləʊtəs\"].", '<phoneme alphabet="ipa" ph="ˈləʊtəs">a lotus b</phoneme>.'),
    ],
)  # fmt: skip
def test_how_a_sentence_is_written(written: str, ssml: str) -> None:
    assert inside(written) == ssml


def rows(body: str) -> list[str]:
    """Tags with their values in order, sentences by their text."""
    shown = []
    for element in ssml_of(body).iter():
        name = element.tag.removeprefix(NS)
        if name in ("mark", "break"):
            shown.append(element.get("name") or element.get("time"))
        elif name == "s":
            shown.append("".join(element.itertext()).strip())
        elif name in ("p", "voice"):
            shown.append(name)
    return shown[1:]


def test_gaps_are_breaks_and_long_ones_several() -> None:
    assert rows("One. Two. [pause 4s..9s] Three.\n\nFour. [silence =25s] Five.") == [
        "p", "One.", "1000ms", "Two.", "6000ms", "Three.", "3000ms",
        "p", "Four.", "10000ms", "10000ms", "5000ms", "p", "Five.",
    ]  # fmt: skip


def test_what_is_no_speech_is_a_mark() -> None:
    body = "[bed ocean:-3+drone]\n\n[bell bowl x3] [breath 4-4-6 x2] [bed -6dB] [sound gong.wav] [bell] [bed off] Sit."
    marks = [row for row in rows(body) if ":" in row]
    assert marks == [
        "bed:ocean:-3+drone", "bell:bowl x3", "breath:4-4-6-0 x2", "bed:-6dB", "sound:gong.wav", "bell:x1", "bed:off",
    ]  # fmt: skip
    at = rows(body).index("breath:4-4-6-0 x2")
    assert rows(body)[at + 1 : at + 4] == ["10000ms", "10000ms", "8000ms"]


def test_each_role_has_its_own_voice() -> None:
    body = "Ask.\n\nSelf: I see you. [pause =2s] I do.\nCritic: Hm.\n\nNow rest."
    assert rows(body) == [
        "p", "Ask.", "3000ms",
        "role:self", "voice", "p", "I see you.", "2000ms", "I do.", "3000ms",
        "role:critic", "voice", "p", "Hm.", "3000ms",
        "p", "Now rest.",
    ]  # fmt: skip
    variants = [each.get("variant") for each in ssml_of(body).iter(f"{NS}voice")]
    assert variants == ["2", "3"]


def test_a_listeners_words_are_text_whatever_they_are() -> None:
    name = '</s>&amp;<break/>"\x07[pause 9h]'
    (sentence,) = ssml_of("Hello, {{ name }}.", name=name).iter(f"{NS}s")
    assert len(sentence) == 0
    assert "".join(sentence.itertext()).startswith('Hello, </s>&amp;<break/>" ')


def test_what_no_xml_may_hold_is_left_out() -> None:
    (sentence,) = ssml_of('Let\x01go\ufffe of (it)[sub:"th\x02at"].').iter(f"{NS}s")
    assert "".join(sentence.itertext()).strip() == "Let go  of it."
    assert sentence[0].get("alias") == "th at"


@given(st.text(min_size=1, max_size=60))
def test_whatever_a_listener_types_the_file_is_valid(name: str) -> None:
    try:
        session = session_of("Hello, *metta* {{ name }}.\n\nSelf: ({{ name }} metta)[slow] now.", name=name)
    except MettaError:
        return
    root = etree.fromstring(to_ssml(session, WORDS).encode())
    SCHEMA.assertValid(root)
    assert [element.get("ph") for element in root.iter(f"{NS}phoneme")] == ["ˈmɛtɑː"] * 2


def test_the_same_session_gives_the_same_text() -> None:
    body = "One *two*. [bell]\n\nSelf: Three."
    assert to_ssml(session_of(body), WORDS) == to_ssml(session_of(body), WORDS)
    assert "\r" not in to_ssml(session_of(body), EMPTY)


def test_a_file_is_whole_or_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METTA_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("METTA_SETTINGS", str(tmp_path / "settings.toml"))
    session = session_of("Hello.")
    path = tmp_path / "new" / "x.ssml"
    save_ssml(session, WORDS, path)
    assert path.read_text(encoding="utf-8") == to_ssml(session, WORDS)
    before = path.read_bytes()

    def fails(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", fails)
    with pytest.raises(EncodeError, match="No space left"):
        save_ssml(session_of("Goodbye."), WORDS, path)
    assert path.read_bytes() == before
    assert [each.name for each in path.parent.iterdir()] == ["x.ssml"]


@pytest.mark.parametrize(
    "wrong",
    [
        '<speak version="1.1" xmlns="{0}">x</speak>',
        '<speak version="1.1" xmlns="{0}" xml:lang="en"><s>x</s><meta name="a" content="b"/></speak>',
        '<speak version="1.1" xmlns="{0}" xml:lang="en"><s><p>x</p></s></speak>',
        '<speak version="1.1" xmlns="{0}" xml:lang="en"><break time="3"/></speak>',
        '<speak version="1.1" xmlns="{0}" xml:lang="en"><bell/></speak>',
        '<speak version="1.1" xmlns="{0}" xml:lang="en"><sub alias="a"><emphasis level="moderate"/></sub></speak>',
        '<speak version="1.1" xmlns="{0}" xml:lang="en"><mark name="a  b"/></speak>',
    ],
)
def test_the_schema_refuses_what_is_wrong(wrong: str) -> None:
    assert not SCHEMA.validate(etree.fromstring(wrong.format(NS.strip("{}"))))


def test_a_speech_program_reads_it(
    require_program: Callable[[str], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("METTA_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("METTA_SETTINGS", str(tmp_path / "settings.toml"))
    program = require_program("espeak-ng")
    file = tmp_path / "x.ssml"
    body = '[bell x3]\n\nOne (two)[slow] *three*. [breath 4-4-6 x2] [bed rain]\n\nSelf: Four (5)[sub:"five"].'
    save_ssml(session_of(body), EMPTY, file)

    def heard(*arguments: str) -> str:
        ran = subprocess.run([program, "-q", "-x", *arguments], capture_output=True, text=True, check=True)
        return re.sub(r"[',_:;!|\s]", "", ran.stdout)

    assert heard("-m", "-f", str(file)) == heard("One two three. Four five.")
