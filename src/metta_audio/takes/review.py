"""What an import found, as a person reviews it: a row for each line, as a page, as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from metta_audio.script.model import Header
from metta_audio.takes.lines import SheetLine
from metta_audio.takes.reading import Found, LeftOut, Reading
from metta_audio.takes.sheet import page
from metta_audio.takes.store import Take
from metta_audio.units import clock

SCHEMA = "metta_audio.takes.review/1"

Verdict = Literal["good", "doubtful", "missing"]
Outcome = Literal["", "new", "replaces", "the same", "set aside"]
"""What became of a take: it is the first of its line, it replaces an older one, it was there before, or it is kept
beside a better one. Empty while nothing is stored."""

BEGINNING = 48
"""Characters of a line that a table shows: enough to tell it by."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line: what was found of it, in seconds of speech, against what its words take. ``file`` is its take's."""

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
        pace = f", read at {self.rate:.0f} words a minute" if self.rate else ""
        return (
            f"{len(self.rows)} lines: {self.count('good')} good, {self.count('doubtful')} doubtful, "
            f"{self.count('missing')} missing{pace}"
        )

    def to_json(self) -> dict[str, Any]:
        """As JSON, under its schema name."""
        return {"schema": SCHEMA, **asdict(self)}

    def html(self) -> str:
        """As a page that plays each take; it belongs beside them."""
        return page("review.html", **{**asdict(self), "summary": self.summary})


def review(
    name: str,
    script: str,
    header: Header,
    lines: Sequence[SheetLine],
    reading: Reading,
    stored: Mapping[int, tuple[Take, Outcome]] | None = None,
) -> Review:
    """Put together what was found of ``lines``; ``stored`` says by number what became of it."""
    by_number = {found.line.number: found for found in reading.found}
    several = len({found.recording for found in reading.found} | {left.recording for left in reading.left_out}) > 1
    rows = tuple(
        _row(line, by_number.get(line.number), (stored or {}).get(line.number), several=several) for line in lines
    )
    left = tuple(_left_out(each, several=several) for each in reading.left_out)
    return Review(name, script, header.title, header.language, rows, left, round(reading.rate, 1), reading.notes)


def beginning(text: str) -> str:
    """What a table shows of a line."""
    return text if len(text) <= BEGINNING else text[: BEGINNING - 1].rstrip() + "…"


def _row(line: SheetLine, found: Found | None, stored: tuple[Take, Outcome] | None, *, several: bool) -> Row:
    text = beginning(line.text)
    if found is None:
        return Row(line.number, text, "missing")
    take, outcome = stored or (None, "")
    return Row(
        line.number,
        text,
        "doubtful" if found.doubts else "good",
        seconds=round(found.spoken, 2),
        expected=round(found.expected, 2),
        certainty=round(found.certainty, 3),
        note="; ".join(_notes(found, outcome, several=several)),
        file=take.file if take else "",
    )


def _notes(found: Found, outcome: str, *, several: bool) -> Iterator[str]:
    yield found.file or f"at {_at(found.start / found.rate, found.recording, several=several)}"
    if found.readings > 1:
        yield f"read {found.readings} times: the last is taken, the earlier ones are kept as older takes"
    yield from found.doubts
    if outcome == "replaces":
        yield "replaces an older take, which is kept"
    elif outcome == "the same":
        yield "the same take as before"
    elif outcome == "set aside":
        yield "not taken: there is a good older one; metta takes undo takes this one after all"


def _left_out(left: LeftOut, *, several: bool) -> str:
    return f"{left.seconds:.1f} s at {_at(left.start, left.recording, several=several)}"


def _at(seconds: float, recording: int, *, several: bool) -> str:
    time = clock(seconds).partition(".")[0]
    return f"{time} of recording {recording + 1}" if several else time
