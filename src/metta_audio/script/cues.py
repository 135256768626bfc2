"""The cue grammar: what may stand in square brackets, and what it means. Nothing in brackets is ever spoken."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType

from metta_audio.errors import Place, ScriptError, did_you_mean
from metta_audio.script.gaps import PAUSE, SILENCE, Bounds, around, between_bounds, gap
from metta_audio.script.model import BedChange, Bell, Breath, GapKind, Item, SoundCue
from metta_audio.units import LONGEST, Decibels, Seconds, parse_duration

Phases = tuple[float, float, float, float]

BREATHS: Mapping[str, Phases] = MappingProxyType(
    {
        "box": (4, 4, 4, 4),  # equal sides; 3.75 breaths a minute
        "belly": (4, 4, 6, 0),  # the longer out-breath settles; 4.3 a minute
        "coherent": (5, 0, 5, 0),  # 6 a minute, where heart and breath swing together
        "calm": (4, 0, 6, 0),  # 6 a minute without a hold
        "relax": (4, 7, 8, 0),  # "4-7-8"; 3.2 a minute
        "sigh": (2.5, 0, 4, 0),  # in with a sip on top (2 + 0.5), out for 4: the 1 + ¼ : 2 of the cyclic sigh
    }
)
"""Named patterns: in, hold, out, hold, in seconds."""

_STRIKES_LIMIT = 108
"""The full round of a temple bell; more is a typing error."""

_PHASE_LIMIT = 60.0
"""Seconds. No one breathes in, holds or out for longer on a recording's word."""

_CYCLES_LIMIT = 10_000
"""Three hours of the shortest breath that can be followed, about one second."""

_LEVEL_LOW, _LEVEL_HIGH = -60.0, 12.0
"""Decibels. Below -60 a bed is inaudible under speech; above +12 it drowns it."""

_NAME = re.compile(r"[^\W_][\w.-]*")
_COUNT = re.compile(r"[x×](\d+)", re.IGNORECASE)
_LEVEL = re.compile(r"([+\-−–]?)(\d{1,3}(?:\.\d{1,3})?) ?db", re.IGNORECASE)
_PHASE = r"\d{1,3}(?:\.\d{1,3})?"
_PATTERN = re.compile(rf"{_PHASE}(?:-{_PHASE}){{1,3}}")


_TIDY = (
    (r"\.{3,}", ".."),
    (r"(?<![\d.])\.(?=\d)|(?<=\.\.)\.(?=\d)", "0."),
    (r"(?<=\d)sec(ond)?s?", "s"),
    (r"(?<=\d)min(ute)?s?", "m"),
)
"""How lengths are written elsewhere, and here."""


class _Fault(ValueError):  # noqa: N818 - a verdict; read_cue makes it a ScriptError
    """What is wrong inside a cue, and what to write instead."""

    def __init__(self, what: str, hint: str = "") -> None:
        super().__init__(what)
        self.hint = hint


def read_cue(inside: str, place: Place, *, shown: str = "") -> Item:
    """Read what stands between ``[`` and ``]``.

    ``place`` is that of the bracket. ``shown`` is how errors quote the inside; where it differs, a listener's words
    are in it, and no error may repeat them. Raises ``ScriptError``.
    """
    words = " ".join(inside.split())
    quoted = " ".join((shown or words).split())
    secret = quoted != words
    quoted = quoted if len(quoted) <= 60 else quoted[:59] + "…"
    name, _, rest = words.partition(" ")
    try:
        reader = _READERS.get(name.lower())
        if reader is None:
            raise _unknown(words, name)
        return reader(rest.strip(), place)
    except _Fault as fault:
        if secret:
            hint = "let the listener choose by a parameter of type choice or number"
            raise ScriptError(f"[{quoted}]: the listener's words make no cue", place=place, hint=hint) from None
        raise ScriptError(f"[{quoted}]: {fault}", place=place, hint=fault.hint) from None


def cue_names() -> tuple[str, ...]:
    """Names a cue may start with."""
    return tuple(_READERS)


def _unknown(words: str, name: str) -> _Fault:
    literal = "to speak the brackets write \\[ and \\]"
    if not words:
        return _Fault("the brackets are empty", f"{did_you_mean('', _READERS)}; {literal}")
    if joined := re.match(r"([A-Za-z]+)[:=,]", words):
        word = joined.group(1).lower()
        if word in _READERS:
            return _Fault(f"a space belongs after {word}", f"write [{word} {words[joined.end() :].strip()}]")
    if (glued := re.match(r"([A-Za-z]+)(?==?[\d.])", words)) and glued.group().lower() in _READERS:
        word = glued.group().lower()
        return _Fault(f"a space belongs after {word}", f"write [{word} {words[glued.end() :]}]")
    bare = re.match(r"[A-Za-z]*", name)
    near = did_you_mean(bare.group() if bare and bare.group() else name, _READERS)
    return _Fault("this is not a cue", near + (" " if near.endswith("?") else "; ") + literal)


def _duration(text: str) -> Seconds:
    try:
        seconds = parse_duration(text)
    except ValueError as fault:
        raise _Fault(str(fault)) from None
    if seconds <= 0:
        raise _Fault(f"{text.strip()} is no time at all", "write a length above zero, or leave the cue out")
    return seconds


def _bounds(text: str, usual: Bounds, name: str) -> Bounds:
    """Read the length of a gap; where only its writing is off, say the right one."""
    try:
        return _read_bounds(text, usual, name)
    except _Fault:
        tidy = re.sub(r"\s+", "", text)
        for wrong, right in _TIDY:
            tidy = re.sub(wrong, right, tidy, flags=re.IGNORECASE)
        if tidy == text:
            raise
        try:
            _read_bounds(tidy, usual, name)
        except _Fault:
            tidy = ""
        if not tidy:
            raise
        raise _Fault(f'"{text}" is not a length', f"write [{name} {tidy}]") from None


def _read_bounds(text: str, usual: Bounds, name: str) -> Bounds:
    """Read ``6s``, ``=6s``, ``4s..12s``, ``4s..6s..12s`` or nothing."""
    if not text:
        return usual
    if text.startswith("="):
        exact = _duration(text[1:])
        return Bounds(exact, exact, exact)
    if text.startswith(("-", "−", "–")):
        raise _Fault("a length cannot be negative", f"write for example [{name} 6s]")
    pieces = text.replace("…", "..").split("..")
    if len(pieces) == 1 and (dashed := re.fullmatch(r"(\S+?) ?[-–—] ?(\S+)", text)):
        raise _Fault("bounds are written with two dots", f"write [{name} {dashed.group(1)}..{dashed.group(2)}]")
    if len(pieces) > 3 or not all(piece.strip() for piece in pieces):
        raise _Fault(f'"{text}" is not a length', f"write [{name} 4s..12s], or [{name} 4s..6s..12s] with a preference")
    lengths = [_duration(piece) for piece in pieces]
    if lengths != sorted(lengths):
        hint = f"write [{name} {'..'.join(piece.strip() for _, piece in sorted(zip(lengths, pieces, strict=True)))}]"
        raise _Fault("the bounds are reversed", hint)
    if len(lengths) == 1:
        return around(lengths[0])
    if len(lengths) == 2:
        return between_bounds(lengths[0], lengths[1])
    return Bounds(lengths[0], lengths[1], lengths[2])


def _gap(kind: GapKind, usual: Bounds) -> Callable[[str, Place], Item]:
    return lambda text, place: gap(kind, _bounds(text, usual, kind), place)


def _bell(text: str, place: Place) -> Item:
    words = text.split()
    strikes = 1
    if words and (count := _COUNT.fullmatch(words[-1])):
        strikes = _number(count.group(1), _STRIKES_LIMIT, "strikes")
        words.pop()
    if len(words) > 1 or (words and (not _NAME.fullmatch(words[0]) or words[0].isdigit())):
        raise _Fault("a bell takes a name and a count", "write [bell], [bell bowl] or [bell bowl x3]")
    return Bell(words[0] if words else "", strikes, place)


def _number(digits: str, limit: int, what: str) -> int:
    count = int(digits[:9])
    if count < 1:
        raise _Fault(f"x{digits} is no {what} at all", "count from x1")
    if count > limit:
        raise _Fault(f"x{digits[:9]} is more than {limit:,} {what}", "write a smaller number")
    return count


def _breath(text: str, place: Place) -> Item:
    example = "write for example [breath 4-4-6 x10] or [breath box for 2m]"
    pattern, _, rest = text.partition(" ")
    if not pattern:
        raise _Fault("a breath needs a pattern", example)
    phases = _phases(pattern)
    cycle = sum(phases)
    rest = rest.strip()
    if count := _COUNT.fullmatch(rest.replace(" ", "")):
        cycles = _number(count.group(1), _CYCLES_LIMIT, "breaths")
    elif rest.lower().startswith("for "):
        # Whole breaths only; a little is added against binary fractions (0.1 + 0.2 is not 0.3).
        cycles = int(_duration(rest[4:]) / cycle + 1e-9)
        if cycles < 1:
            raise _Fault(
                f"{rest[4:].strip()} is shorter than one breath of {cycle:g}s", f"write for {cycle:g}s or more"
            )
    else:
        raise _Fault("a breath needs a count or a length", example)
    if cycles * cycle > LONGEST:
        raise _Fault(f"{cycles} breaths take longer than {int(LONGEST // 3600)} hours", "write fewer")
    inhale, hold, exhale, rest_after = (Seconds(float(phase)) for phase in phases)
    return Breath((inhale, hold, exhale, rest_after), cycles, place)


def _phases(pattern: str) -> Phases:
    if named := BREATHS.get(pattern.lower()):
        return named
    plain = pattern.replace("–", "-").replace("−", "-")
    if not _PATTERN.fullmatch(plain):
        hint = (
            did_you_mean(pattern, BREATHS)
            if plain[:1].isalpha()
            else "write in-out, in-hold-out or in-hold-out-hold, as 4-4-6"
        )
        raise _Fault(f'"{pattern}" is not a breathing pattern', hint)
    numbers = [float(number) for number in plain.split("-")]
    inhale, exhale = numbers[0], numbers[1] if len(numbers) == 2 else numbers[2]
    if inhale <= 0 or exhale <= 0:
        raise _Fault("breathing in and breathing out both take time", "only a hold may be 0")
    if max(numbers) > _PHASE_LIMIT:
        raise _Fault(f"{max(numbers):g}s is too long for one breath", f"stay below {_PHASE_LIMIT:g}s")
    hold = numbers[1] if len(numbers) > 2 else 0.0
    return (inhale, hold, exhale, numbers[3] if len(numbers) > 3 else 0.0)


def _bed(text: str, place: Place) -> Item:
    if not text:
        raise _Fault("a bed needs a name, off, or a level", "write [bed rain], [bed off] or [bed -6dB]")
    if level := _LEVEL.fullmatch(text):
        shift = float(level.group(2)) * (-1 if level.group(1) in {"-", "−", "–"} else 1)
        if not _LEVEL_LOW <= shift <= _LEVEL_HIGH:
            raise _Fault(f"{shift:g} dB is out of range", f"stay between {_LEVEL_LOW:g} and {_LEVEL_HIGH:+g} dB")
        return BedChange("", Decibels(shift), place)
    if re.fullmatch(r"[+\-−–]?\d+(\.\d+)?", text):
        raise _Fault(f"{text} has no unit", f"write [bed {text}dB]")
    if found := _LEVEL.search(text):
        name = text.replace(found.group(), "").strip()
        raise _Fault("a bed and its level are two cues", f"write [bed {name}] [bed {found.group()}]")
    name = "off" if text.lower() == "off" else _file(text, "bed")
    return BedChange(name, Decibels(0.0), place)


def _sound(text: str, place: Place) -> Item:
    if not text:
        raise _Fault("a sound needs the name of a file", "write for example [sound gong.wav]")
    return SoundCue(_file(text, "sound"), place)


def _file(text: str, what: str) -> str:
    """Check the name of something on a sounds shelf: a relative path that stays on its shelf."""
    steps = text.split("/")
    outside = text.startswith(("/", "~")) or "\\" in text or ":" in text or ".." in steps or "." in steps or "" in steps
    if outside:
        example = "rain" if what == "bed" else "gong.wav"
        raise _Fault(f"a {what} comes from a sounds shelf", f"write only its name there, such as {example}")
    if not all(re.fullmatch(r"[\w][\w .'+()-]*", step) for step in steps):
        raise _Fault(f'"{text}" is not the name of a {what}', "use letters, digits, - and _")
    return text


_READERS: Mapping[str, Callable[[str, Place], Item]] = MappingProxyType(
    {
        "pause": _gap("pause", PAUSE),
        "silence": _gap("silence", SILENCE),
        "bell": _bell,
        "breath": _breath,
        "bed": _bed,
        "sound": _sound,
    }
)
