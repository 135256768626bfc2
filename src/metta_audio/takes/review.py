"""What an import found, as a person reviews it: a row for each line, as a page, as JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

from metta_audio.script.model import Header
from metta_audio.takes.index import Take
from metta_audio.takes.lines import SheetLine
from metta_audio.takes.page import page
from metta_audio.takes.reading import Found, LeftOut, Reading
from metta_audio.units import clock

SCHEMA = "metta_audio.takes.review/1"

Verdict = Literal["good", "accepted", "doubtful", "kept", "missing"]
"""``accepted`` is what would be doubtful, had nobody said that it is right; ``kept`` is a line that was not found now,
and has a take from before."""

Outcome = Literal["", "new", "replaces", "the same", "set aside"]
"""What became of a take: it is the first of its line, it replaces an older one, it was there before, or it is kept
beside a better one. Empty while nothing is stored."""

SHOWN, _ENDING = 54, 20
"""Characters of a line that a table shows, and how many of them are its last: many lines begin alike."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line: what was found of it, in seconds of speech, against what its words take. ``file`` is its take's.

    ``text`` is the line as anybody may read it.
    """

    number: int
    text: str
    verdict: Verdict
    seconds: float | None = None
    expected: float = 0.0
    certainty: float | None = None
    note: str = ""
    file: str = ""


@dataclass(frozen=True, slots=True)
class Review:
    """All rows, and what else there is to say. ``rate`` is in words of average length a minute, 0 where unknown."""

    name: str
    script: str
    title: str
    language: str
    rows: tuple[Row, ...]
    left_out: tuple[str, ...]
    rate: float
    notes: tuple[str, ...]

    def count(self, verdict: Verdict) -> int:
        """How many lines got this verdict."""
        return sum(row.verdict == verdict for row in self.rows)

    @property
    def summary(self) -> str:
        """One sentence."""
        counts: dict[Verdict, str] = {
            "good": "good",
            "accepted": "accepted",
            "doubtful": "doubtful",
            "kept": "from before",
        }
        told = [
            f"{self.count(each)} {word}"
            for each, word in counts.items()
            if self.count(each) or each in ("good", "doubtful")
        ]
        pace = f", read at {self.rate:.0f} words a minute" if self.rate else ""
        lines = f"{len(self.rows)} line{'' if len(self.rows) == 1 else 's'}"
        return f"{lines}: {', '.join(told)}, {self.count('missing')} missing{pace}"

    def without_text(self) -> Review:
        """The same, with the lines by their numbers alone."""
        return replace(self, rows=tuple(replace(row, text="") for row in self.rows))

    def to_json(self) -> dict[str, Any]:
        """As JSON, under its schema name."""
        return {"schema": SCHEMA, **asdict(self)}

    def html(self) -> str:
        """As a page that plays each take; it belongs beside them."""
        return page("review.html", **{**asdict(self), "summary": self.summary})


@dataclass(frozen=True, slots=True)
class Known:
    """What is known beside the recording, by the lines' numbers.

    ``shown`` is what may be written down of each line, and ``undo`` the command that goes back to its older take;
    ``before`` are the takes that it had; ``stored`` is what became of what was found, which is nothing in a dry run.
    With ``sure`` the user says that all is right.
    """

    shown: Mapping[int, str]
    undo: Callable[[int], str]
    before: Mapping[int, Take] = field(default_factory=dict)
    stored: Mapping[int, tuple[Take, Outcome]] = field(default_factory=dict)
    sure: bool = False


def review(
    name: str, script: str, header: Header, lines: Sequence[SheetLine], reading: Reading, known: Known
) -> Review:
    """Put together what was found of ``lines``."""
    by_number = {found.line.number: found for found in reading.found}
    several = len({found.recording for found in reading.found} | {left.recording for left in reading.left_out}) > 1
    rows = tuple(
        _found(by_number[line.number], known, several=several) if line.number in by_number else _not_found(line, known)
        for line in lines
    )
    left = tuple(_left_out(each, several=several) for each in reading.left_out)
    return Review(name, script, header.title, header.language, rows, left, round(reading.rate, 1), reading.notes)


def cut(text: str) -> str:
    """What a table shows of a line: its beginning and its end, in whole words where it has any."""
    if len(text) <= SHOWN:
        return text
    beginning, ending = text[: SHOWN - _ENDING - 3], text[-_ENDING:]
    return f"{beginning.rpartition(' ')[0] or beginning} … {ending.partition(' ')[2] or ending}"


def _not_found(line: SheetLine, known: Known) -> Row:
    take = known.before.get(line.number)
    text = known.shown[line.number]
    if take is None:
        return Row(line.number, text, "missing")
    return Row(line.number, text, "kept", note="doubtful: listen to it" if take.doubtful else "", file=take.file)


def _found(found: Found, known: Known, *, several: bool) -> Row:
    number = found.line.number
    take, outcome = known.stored.get(number, (None, ""))
    return Row(
        number,
        known.shown[number],
        _verdict(found, take, sure=known.sure),
        seconds=round(found.spoken, 2),
        expected=round(found.expected, 2),
        certainty=round(found.certainty, 3),
        note="; ".join(_notes(found, outcome, known.undo(number), several=several)),
        file=take.file if take else "",
    )


def _verdict(found: Found, take: Take | None, *, sure: bool) -> Verdict:
    if not found.doubts:
        return "good"
    return "accepted" if sure or (take is not None and not take.doubtful) else "doubtful"


def _notes(found: Found, outcome: str, undo: str, *, several: bool) -> Iterator[str]:
    yield found.file or f"at {_at(found.start / found.rate, found.recording, several=several)}"
    if found.readings > 1:
        yield f"read {found.readings} times: the last is taken, the earlier ones are kept as older takes"
    yield from found.doubts
    if outcome == "replaces":
        yield "replaces an older take, which is kept"
    elif outcome == "the same":
        yield "the same take as before"
    elif outcome == "set aside":
        yield f"not taken: there is a good older one; to take this one after all: {undo}"


def _left_out(left: LeftOut, *, several: bool) -> str:
    return f"{left.seconds:.1f} s at {_at(left.start, left.recording, several=several)}"


def _at(seconds: float, recording: int, *, several: bool) -> str:
    time = clock(seconds).partition(".")[0]
    return f"{time} of recording {recording + 1}" if several else time
