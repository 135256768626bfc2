"""The page to read from: numbered lines on paper or on a tablet, in one HTML file that needs nothing else."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from metta_audio.script.model import GUIDE, Header, Span
from metta_audio.takes.lines import COUNTS, SheetLine
from metta_audio.takes.page import page
from metta_audio.units import Seconds, WordsPerMinute

READING = WordsPerMinute(110.0)
"""What most people read calmly at."""

BETWEEN = Seconds(3.0)
"""Two seconds of silence after each line, and one in which the next is looked for."""

_ASIDE: Mapping[str, str] = {"slow": "slowly", "fast": "a little faster", "soft": "softly", "loud": "firmly"}


@dataclass(frozen=True, slots=True)
class _Part:
    text: str
    strong: bool
    hinted: bool


def sheet(lines: Sequence[SheetLine], header: Header, command: str, *, missing: bool = False) -> str:
    """The page as HTML. ``command`` is what imports the recording; ``missing`` says that only some lines are here."""
    several = any(line.roles != (GUIDE,) for line in lines)
    sections = [
        {"title": title, "counted": title == COUNTS, "lines": [_shown(line, header, named=several) for line in group]}
        for title, group in groupby(lines, key=lambda line: line.section)
    ]
    return page(
        "sheet.html",
        title=header.title,
        language=header.language,
        count=len(lines),
        minutes=max(1, math.ceil(reading_time(lines) / 60)),
        sections=sections,
        missing=missing,
        command=command,
    )


def reading_time(lines: Iterable[SheetLine]) -> Seconds:
    """About how long it takes to record ``lines``."""
    return Seconds(sum(line.words * 60 / READING + BETWEEN for line in lines))


def role_title(role: str, header: Header) -> str:
    """What a person calls a role."""
    declared = header.roles.get(role)
    return (declared.title if declared else "") or role.replace("_", " ").replace("-", " ").capitalize()


def _shown(line: SheetLine, header: Header, *, named: bool) -> dict[str, object]:
    return {
        "number": line.number,
        "guide": line.roles == (GUIDE,),
        "role": ", ".join(role_title(role, header) for role in line.roles) if named else "",
        "parts": list(_parts(line)),
        "hints": list(_hints(line)),
    }


def _parts(line: SheetLine) -> Iterator[_Part]:
    """The text, cut wherever a span begins or ends."""
    cuts = sorted({0, len(line.text), *(at for span in line.spans for at in (span.start, span.end))})
    for start, end in pairwise(cuts):
        kinds = {span.kind for span in line.spans if span.start <= start and end <= span.end}
        yield _Part(line.text[start:end], "emphasis" in kinds, bool(kinds - {"emphasis"}))


def _hints(line: SheetLine) -> Iterator[str]:
    for span in line.spans:
        words = line.text[span.start : span.end]
        if span.kind == "ipa":
            yield f"“{words}” is spoken /{span.value}/"
        elif span.kind == "sub":
            yield f"for “{words}” say “{span.value}”"
        elif span.kind in _ASIDE:
            yield _ASIDE[span.kind] if _whole(span, line.text) else f"{_ASIDE[span.kind]}: “{words}”"


def _whole(span: Span, text: str) -> bool:
    return not any(letter.isalnum() for letter in text[: span.start] + text[span.end :])
