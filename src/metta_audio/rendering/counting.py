"""Breaths counted aloud: "In, two, three, four. Out, two, …", each number on its second."""

from __future__ import annotations

from collections.abc import Iterator

from metta_audio.errors import Place
from metta_audio.rendering.options import Options
from metta_audio.script.model import BREATH_SOUNDS, Breath, Line, Session
from metta_audio.timeline.breath import Count, PhaseName, counts

COUNTER = "counter"
"""The role that counts. A script may declare it, to choose its voice, pace and place."""

_FIRST: dict[str, dict[PhaseName, str]] = {
    "en": {"in": "In", "sip": "and in", "hold": "Hold", "out": "Out", "rest": "Rest"},
    "de": {"in": "Ein", "sip": "und ein", "hold": "Halten", "out": "Aus", "rest": "Ruhen"},
    "es": {"in": "Inhala", "sip": "y más", "hold": "Sostén", "out": "Exhala", "rest": "Pausa"},
    "fr": {"in": "Inspire", "sip": "encore", "hold": "Retiens", "out": "Expire", "rest": "Pause"},
    "it": {"in": "Inspira", "sip": "ancora", "hold": "Trattieni", "out": "Espira", "rest": "Pausa"},
}
"""What is said where a phase begins, so that nobody has to remember which one it is. Other languages begin with 1."""

_NOWHERE = Place("", 1)


def breath_sound(breath: Breath, session: Session, options: Options) -> str:
    """What leads this breath: the listener's choice, else the cue's, else the script's, else the default."""
    return options.breath or breath.sound or session.header.breath or BREATH_SOUNDS[0]


def counting_lines(session: Session, options: Options) -> list[Line]:
    """Every word that counting will need, once each; empty where nothing is counted."""
    breaths = [item for section in session.sections for item in section.items if isinstance(item, Breath)]
    counted = (breath for breath in breaths if breath_sound(breath, session, options) == "count")
    lines = (line for breath in counted for _, line in spoken_counts(breath, session.header.language))
    return list(dict.fromkeys(lines))


def spoken_counts(breath: Breath, language: str) -> Iterator[tuple[Count, Line]]:
    """Each count of ``breath`` with the line that says it."""
    first = _FIRST.get(language.partition("-")[0], {})
    for count in counts(breath):
        text = first.get(count.phase, "1") if count.number == 1 else str(count.number)
        yield count, Line(COUNTER, text, _NOWHERE)
