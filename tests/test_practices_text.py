"""What the shipped practices promise a listener, as far as it can be read from their words and their plan."""

from __future__ import annotations

import functools
import re

import pytest

import metta_audio as metta
from metta_audio.script.model import Breath, Line, Pause, Section, Session

RINGS = ["self", "benefactor", "friend", "neutral", "difficult", "all"]
CASES = [
    ("metta-classic", {}),
    ("metta-classic", {"rings": RINGS, "gentle": True, "phrases": "salzberg-4"}),
    ("metta-classic", {"rings": ["self"], "eyes": "closed"}),
    ("body-scan", {}),
    ("body-scan", {"mode": "thank", "direction": "down", "eyes": "closed", "posture": "standing"}),
    ("body-scan", {"areas": ["feet", "hands", "head"]}),
    ("breath-belly", {}),
    ("breath-belly", {"hold": 0, "touch": False, "eyes": "closed"}),
    ("breath-belly", {"hold": 2.5, "eyes": "open"}),
    ("ifs-protector", {}),
    ("ifs-protector", {"protector": "numbing", "eyes": "soft"}),
    ("ifs-protector", {"protector": "any", "example": False}),
]
NAMES = sorted({name for name, _ in CASES})

COMMANDS = re.compile(
    r"\b(we|us|our|must|should|have to|has to|don't|do not think|do not feel|try to)\b", re.IGNORECASE
)
CLAIMS = re.compile(
    r"\b(cures?|heals?|treats?|treatment|diagnos\w+|rewir\w+|clinically|proven|guarantee\w*|replaces therapy"
    r"|completely safe|you are safe now|get rid of|banish\w*|exiles?|inner child|wound\w*|leave your body)\b",
    re.IGNORECASE,
)
IMPERATIVES = re.compile(
    r"(allow|begin|breathe|bring|choose|close|feel|find|imagine|let|listen|look|move|name|notice|open|picture|place|relax"
    r"|rest|return|see|sit|stay|take|thank|turn|wait)\b",
    re.IGNORECASE,
)
ANNOUNCES = re.compile(r"quiet|wait|time for|time to|say nothing")


@functools.cache
def _session(name: str, minutes: float | None, params: tuple[tuple[str, object], ...]) -> Session:
    given = {key: list(value) if isinstance(value, tuple) else value for key, value in params}
    return metta.fill(metta.load(f"shipped:{name}"), minutes=minutes, params=given)


def fill(name: str, minutes: float | None = None, **params: object) -> Session:
    hashable = ((key, tuple(value) if isinstance(value, list) else value) for key, value in params.items())
    return _session(name, minutes, tuple(hashable))


def lengths(name: str) -> list[float]:
    minutes = metta.load(f"shipped:{name}").header.minutes
    return sorted({minutes.min, minutes.default, minutes.max})


def texts(session: Session, *titles: str) -> list[str]:
    sections = [section for section in session.sections if not titles or section.title in titles]
    return [item.text for section in sections for item in section.items if isinstance(item, Line)]


def titled(session: Session, title: str) -> Section:
    return next(section for section in session.sections if section.title == title)


everywhere = pytest.mark.parametrize(("name", "params"), CASES)


@everywhere
def test_sentences_are_short_and_invite(name: str, params: dict[str, object]) -> None:
    for minutes in lengths(name):
        spoken = texts(fill(name, minutes, **params))
        assert [text for text in spoken if len(text.split()) > 25] == []
        assert [text for text in spoken if COMMANDS.search(text) or CLAIMS.search(text)] == []
        bare = [text for text in spoken if IMPERATIVES.match(text)]
        assert len(bare) <= 0.4 * len(spoken)


@everywhere
def test_the_first_ninety_seconds_leave_a_choice(name: str, params: dict[str, object]) -> None:
    for minutes in lengths(name):
        timeline = metta.plan(fill(name, minutes, **params), estimate=True).timeline
        early = " ".join(event.text for event in timeline.events if event.end <= 90 * timeline.rate)
        assert re.search(r"\bstop at any time\b", early)
        assert re.search(r"\b[Ee]yes\b[^.]*\bor\b", early)
        assert re.search(r"\b(sit|stand|lie)\b", early)
        assert "computer's" in early


@pytest.mark.parametrize("name", NAMES)
def test_a_person_who_reads_it_is_not_called_a_computer(name: str) -> None:
    minutes = metta.load(f"shipped:{name}").header.minutes
    for length in (minutes.min, minutes.max):
        session = fill(name, length, computer_voice=False)
        said = [item.text for section in session.sections for item in section.items if isinstance(item, Line)]
        assert not any("computer" in text for text in said)
        assert metta.plan(session, estimate=True).timeline.length == length * 60 * 44_100


@everywhere
def test_it_ends_with_a_return(name: str, params: dict[str, object]) -> None:
    for minutes in lengths(name):
        session = fill(name, minutes, **params)
        timeline = metta.plan(session, estimate=True).timeline
        last = timeline.chapters[-1]
        assert last.title == "Return"
        assert last.length >= max(0.08 * timeline.length, 20 * timeline.rate)
        said = " ".join(texts(session, "Return"))
        ways = [r"look|eyes", r"feet", r"movement|move|stretch|fingers", r"what day"]
        assert sum(bool(re.search(way, said)) for way in ways) >= 2


@everywhere
def test_long_silence_is_announced(name: str, params: dict[str, object]) -> None:
    for minutes in lengths(name):
        for section in fill(name, minutes, **params).sections:
            said = ""
            for item in section.items:
                if isinstance(item, Line):
                    said = f"{said} {item.text}"
                elif isinstance(item, Pause):
                    assert item.high <= (90 if item.kind == "silence" else 20)
                    if item.kind == "silence":
                        assert ANNOUNCES.search(said), said
                    said = said if item.kind == "sentence" else ""


@pytest.mark.parametrize("name", NAMES)
def test_every_whole_minute_of_its_range_can_be_met(name: str) -> None:
    minutes = metta.load(f"shipped:{name}").header.minutes
    for length in range(int(minutes.min), int(minutes.max) + 1):
        timeline = metta.plan(fill(name, length), estimate=True).timeline
        assert timeline.length == length * 60 * timeline.rate


@pytest.mark.parametrize("name", NAMES)
def test_the_description_says_what_it_has_to(name: str) -> None:
    header = metta.load(f"shipped:{name}").header
    text = header.description
    assert len(text) >= 500
    for words in ("by a computer", "no substitute for care", "not listen while driving", "emergency", "helpline"):
        assert words in text
    for part in (header.title, header.summary, text, header.album, header.genre):
        assert not CLAIMS.search(part)


def test_the_difficult_person_comes_late_and_mild() -> None:
    assert "difficult" not in metta.load("shipped:metta-classic").header.params["rings"].default
    for rings in (RINGS, ["difficult"], ["self", "difficult"], ["self", "friend", "neutral", "difficult"]):
        session = fill("metta-classic", 18, rings=rings)
        titles = [section.title for section in session.sections]
        assert titles.index("Someone Mildly Difficult") - titles.index("Arriving") > 3
        said = " ".join(texts(session, "Someone Mildly Difficult"))
        for words in ("mildly", "free to skip", "No forgiveness is required"):
            assert words in said
    assert "partner" in " ".join(texts(fill("metta-classic", 10), "A Friend"))


def test_rounds_are_heard_at_least_as_often_as_asked() -> None:
    for rounds in (1, 2, 3):
        spoken = texts(fill("metta-classic", 15, rounds=rounds), "Yourself")
        assert spoken.count("May I be safe.") >= rounds


def test_areas_that_are_left_out_are_not_named() -> None:
    spoken = " ".join(texts(fill("body-scan", 20, areas=["feet", "hands"])))
    assert not re.search(r"pelvis|belly|chest|throat|shoulders are", spoken)
    hard = " ".join(texts(fill("body-scan", 5)))
    assert len(re.findall(r"skip", hard)) >= 4
    assert "Numb is fine" in hard


@pytest.mark.parametrize("minutes", range(5, 11))
def test_breathing_fills_most_of_the_time_in_blocks_of_a_minute(minutes: int) -> None:
    session = fill("breath-belly", minutes)
    breaths = [item for section in session.sections for item in section.items if isinstance(item, Breath)]
    assert {breath.phases for breath in breaths} == {(4, 4, 6, 0)}
    assert sum(breath.cycles * breath.cycle for breath in breaths) > 0.5 * minutes * 60
    assert all(breath.cycles * breath.cycle <= 60 for breath in breaths)


def test_the_hold_comes_with_caution_and_can_be_left_out() -> None:
    before = " ".join(texts(fill("breath-belly"), "Arriving"))
    conditions = ("heart", "lung", "eye", "blood pressure", "neurological", "pregnancy", "surgery", "panic")
    for words in (*conditions, "leave out the hold", "dizzy"):
        assert words in before
    rhythm = titled(fill("breath-belly", hold=0), "The Rhythm")
    assert {item.phases for item in rhythm.items if isinstance(item, Breath)} == {(4, 0, 6, 0)}


def test_the_part_speaks_only_examples_and_only_after_the_check() -> None:
    kinds = metta.load("shipped:ifs-protector").header.params["protector"].choices
    assert len(kinds) == 1 + 7 + 5 + 3 + 1  # any; managers; quick ones; from the anxious style; independent
    for kind in kinds:
        session = fill("ifs-protector", 15, protector=kind)
        titles = [section.title for section in session.sections]
        in_order = ["How You Feel Toward It", "Getting Acquainted", "What It Is Afraid Of"]
        assert [title for title in titles if title in in_order] == in_order
        lines = [item for section in session.sections for item in section.items if isinstance(item, Line)]
        spoken = [at for at, line in enumerate(lines) if line.role == "part"]
        assert len(spoken) == (0 if kind == "any" else 2)
        assert all("example only" in lines[at - 1].text for at in spoken)


def test_packs_hold_what_their_names_say() -> None:
    shelves = metta.Shelves.standard()
    counts = {"four-wishes": 4, "salzberg-4": 4, "ask-3": 3, "curious-3": 3, "honour": 3, "staying": 3}
    assert {name: len(shelves.pack(name)) for name in counts} == counts
