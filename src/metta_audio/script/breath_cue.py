"""The breath cue: ``[breath 4-4-6 x10]``, ``[breath box for 2m]``, ``[breath relax x4 tick]``."""

from __future__ import annotations

import re

from metta_audio.errors import Place, ShelfError, did_you_mean
from metta_audio.script.breath_pattern import CYCLES_LIMIT, PHASE_LIMIT, BreathPattern, Phases
from metta_audio.script.cue_words import COUNT, Fault, count, duration
from metta_audio.script.library import Library
from metta_audio.script.model import BREATH_SOUNDS, NO_SIP, Breath
from metta_audio.units import LONGEST, Seconds

_PHASE = r"\d{1,3}(?:\.\d{1,3})?"
_NUMBERS = re.compile(rf"{_PHASE}(?:-{_PHASE}){{0,3}}")
_NAME = re.compile(r"[^\W\d_][\w-]*")
_NUMERIC = "write in-out, in-hold-out or in-hold-out-hold, as 4-4-6"
_EXAMPLE = "write for example [breath 4-4-6 x10] or [breath box for 2m]"


def read_breath(text: str, place: Place, library: Library | None) -> Breath:
    """Read what stands behind ``breath``. Patterns with a name come from the ``library``. Raises Fault."""
    written, _, rest = text.partition(" ")
    if not written:
        raise Fault("a breath needs a pattern", _EXAMPLE)
    words = rest.split()
    sound = _sound(written, words)
    phases, pattern = _pattern(written, library)
    cycles = _cycles(" ".join(words), sum(phases))
    named = pattern is not None and _NAME.fullmatch(written) is not None
    return Breath(
        phases,
        cycles,
        place,
        # Who writes numbers writes all of them: 2.5-4 has no second breath in.
        sip=pattern.sip if pattern and named else NO_SIP,
        sound=sound,
        pattern=pattern.name if pattern and named else "",
        cautions=pattern.cautions(cycles, called="" if named else written) if pattern else (),
    )


def _sound(written: str, words: list[str]) -> str:
    """Take the sound, if there is one, from the end of ``words``."""
    if not words:
        return ""
    last = words[-1].lower()
    if len(words) > 1 and words[0].lower() in BREATH_SOUNDS:
        raise Fault("the sound comes last", f"write [breath {written} {' '.join([*words[1:], words[0].lower()])}]")
    if last in BREATH_SOUNDS:
        words.pop()
        return last
    before = words[:-1]
    complete = COUNT.fullmatch("".join(before)) or (len(before) == 2 and before[1][-1].isalpha())
    if last.isalpha() and complete:
        raise Fault(f'"{last}" is no sound that leads a breath', did_you_mean(last, BREATH_SOUNDS))
    return ""


def _cycles(text: str, cycle: float) -> int:
    if found := COUNT.fullmatch(text.replace(" ", "")):
        cycles = count(found.group(1), CYCLES_LIMIT, "breaths")
    elif text.lower().startswith("for "):
        # Whole breaths only; a little is added against binary fractions (0.1 + 0.2 is not 0.3).
        cycles = int(duration(text[4:]) / cycle + 1e-9)
        if cycles < 1:
            raise Fault(f"{text[4:].strip()} is shorter than one breath of {cycle:g}s", f"write for {cycle:g}s or more")
    else:
        raise Fault("a breath needs a count or a length", _EXAMPLE)
    if cycles * cycle > LONGEST:
        raise Fault(f"{cycles} breaths take longer than {int(LONGEST // 3600)} hours", "write fewer")
    return cycles


def _pattern(written: str, library: Library | None) -> tuple[Phases, BreathPattern | None]:
    """Phases, and the pattern on the shelves that has them: by its name, or a shipped one of the same numbers."""
    plain = written.replace("–", "-").replace("−", "-")
    if _NUMBERS.fullmatch(plain):
        phases = _numbers(plain)
        return phases, library.breath_like(phases) if library else None
    if library is None or not _NAME.fullmatch(written):
        raise Fault(f'"{written}" is not a breathing pattern', _NUMERIC)
    try:
        pattern = library.breath(written)
    except ShelfError as error:
        if error.place is not None:  # it is there, but its file is at fault
            raise
        raise Fault(f'"{written}" is not a breathing pattern', error.hint) from None
    return pattern.phases, pattern


def _numbers(plain: str) -> Phases:
    numbers = [float(number) for number in plain.split("-")]
    inhale, exhale = numbers[0], numbers[min(len(numbers) - 1, 2)]
    if inhale <= 0 or exhale <= 0:
        raise Fault("breathing in and breathing out both take time", "only a hold may be 0")
    if max(numbers) > PHASE_LIMIT:
        raise Fault(f"{max(numbers):g}s is too long for one breath", f"stay below {PHASE_LIMIT:g}s")
    hold = numbers[1] if len(numbers) > 2 else 0.0
    rest = numbers[3] if len(numbers) > 3 else 0.0
    return Seconds(inhale), Seconds(hold), Seconds(exhale), Seconds(rest)
