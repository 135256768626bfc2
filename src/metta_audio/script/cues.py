"""The cue grammar: what may stand in square brackets, and what it means. Nothing in brackets is ever spoken."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType

from metta_audio.errors import Place, ScriptError, did_you_mean
from metta_audio.script.beds import BadBed, read_bed
from metta_audio.script.breath_cue import read_breath
from metta_audio.script.cue_words import COUNT, Fault, count, duration
from metta_audio.script.gaps import PAUSE, SILENCE, Bounds, around, between_bounds, gap
from metta_audio.script.library import Library
from metta_audio.script.model import BedChange, Bell, GapKind, Item, SoundCue
from metta_audio.units import Decibels

_STRIKES_LIMIT = 108
"""The full round of a temple bell; more is a typing error."""

_LEVEL_LOW, _LEVEL_HIGH = -60.0, 12.0
"""Decibels. Below -60 a bed is inaudible under speech; above +12 it drowns it."""

_NAME = re.compile(r"[^\W_][\w.-]*")
_LEVEL = re.compile(r"([+\-−–]?)(\d{1,3}(?:\.\d{1,3})?) ?db", re.IGNORECASE)

_TIDY = (
    (r"\.{3,}", ".."),
    (r"(?<![\d.])\.(?=\d)|(?<=\.\.)\.(?=\d)", "0."),
    (r"(?<=\d)sec(ond)?s?", "s"),
    (r"(?<=\d)min(ute)?s?", "m"),
)
"""How lengths are written elsewhere, and here."""


def read_cue(inside: str, place: Place, *, shown: str = "", library: Library | None = None) -> Item:
    """Read what stands between ``[`` and ``]``.

    ``place`` is that of the bracket. ``shown`` is how errors quote the inside; where it differs, a listener's words
    are in it, and no error may repeat them. Without a ``library`` breaths are known by numbers only. Raises
    ``ScriptError``, or ``ShelfError`` where the file of a breath pattern is at fault.
    """
    words = " ".join(inside.split())
    quoted = " ".join((shown or words).split())
    secret = quoted != words
    quoted = quoted if len(quoted) <= 60 else quoted[:59] + "…"
    name, _, rest = words.partition(" ")
    try:
        if name.lower() == _BREATH:
            return read_breath(rest.strip(), place, library)
        reader = _READERS.get(name.lower())
        if reader is None:
            raise _unknown(words, name)
        return reader(rest.strip(), place)
    except Fault as fault:
        if secret:
            hint = "let the listener choose by a parameter of type choice or number"
            raise ScriptError(f"[{quoted}]: the listener's words make no cue", place=place, hint=hint) from None
        raise ScriptError(f"[{quoted}]: {fault}", place=place, hint=fault.hint) from None


def cue_names() -> tuple[str, ...]:
    """Names a cue may start with."""
    return (*_READERS, _BREATH)


def _unknown(words: str, name: str) -> Fault:
    literal = "to speak the brackets write \\[ and \\]"
    if not words:
        return Fault("the brackets are empty", f"{did_you_mean('', cue_names())}; {literal}")
    if joined := re.match(r"([A-Za-z]+)[:=,]", words):
        word = joined.group(1).lower()
        if word in cue_names():
            return Fault(f"a space belongs after {word}", f"write [{word} {words[joined.end() :].strip()}]")
    if (glued := re.match(r"([A-Za-z]+)(?==?[\d.])", words)) and glued.group().lower() in cue_names():
        word = glued.group().lower()
        return Fault(f"a space belongs after {word}", f"write [{word} {words[glued.end() :]}]")
    bare = re.match(r"[A-Za-z]*", name)
    near = did_you_mean(bare.group() if bare and bare.group() else name, cue_names())
    return Fault("this is not a cue", near + (" " if near.endswith("?") else "; ") + literal)


def _bounds(text: str, usual: Bounds, name: str) -> Bounds:
    """Read the length of a gap; where only its writing is off, say the right one."""
    try:
        return _read_bounds(text, usual, name)
    except Fault:
        tidy = re.sub(r"\s+", "", text)
        for wrong, right in _TIDY:
            tidy = re.sub(wrong, right, tidy, flags=re.IGNORECASE)
        if tidy == text:
            raise
        try:
            _read_bounds(tidy, usual, name)
        except Fault:
            tidy = ""
        if not tidy:
            raise
        raise Fault(f'"{text}" is not a length', f"write [{name} {tidy}]") from None


def _read_bounds(text: str, usual: Bounds, name: str) -> Bounds:
    """Read ``6s``, ``=6s``, ``4s..12s``, ``4s..6s..12s`` or nothing."""
    if not text:
        return usual
    if text.startswith("="):
        exact = duration(text[1:])
        return Bounds(exact, exact, exact)
    if text.startswith(("-", "−", "–")):
        raise Fault("a length cannot be negative", f"write for example [{name} 6s]")
    pieces = text.replace("…", "..").split("..")
    if len(pieces) == 1 and (dashed := re.fullmatch(r"(\S+?) ?[-–—] ?(\S+)", text)):
        raise Fault("bounds are written with two dots", f"write [{name} {dashed.group(1)}..{dashed.group(2)}]")
    if len(pieces) > 3 or not all(piece.strip() for piece in pieces):
        raise Fault(f'"{text}" is not a length', f"write [{name} 4s..12s], or [{name} 4s..6s..12s] with a preference")
    lengths = [duration(piece) for piece in pieces]
    if lengths != sorted(lengths):
        hint = f"write [{name} {'..'.join(piece.strip() for _, piece in sorted(zip(lengths, pieces, strict=True)))}]"
        raise Fault("the bounds are reversed", hint)
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
    if words and (found := COUNT.fullmatch(words[-1])):
        strikes = count(found.group(1), _STRIKES_LIMIT, "strikes")
        words.pop()
    if len(words) > 1 or (words and (not _NAME.fullmatch(words[0]) or words[0].isdigit())):
        raise Fault("a bell takes a name and a count", "write [bell], [bell bowl] or [bell bowl x3]")
    return Bell(words[0] if words else "", strikes, place)


def _bed(text: str, place: Place) -> Item:
    if not text:
        raise Fault("a bed needs a name, off, or a level", "write [bed rain], [bed off] or [bed -6dB]")
    if level := _LEVEL.fullmatch(text):
        shift = float(level.group(2)) * (-1 if level.group(1) in {"-", "−", "–"} else 1)
        if not _LEVEL_LOW <= shift <= _LEVEL_HIGH:
            raise Fault(f"{shift:g} dB is out of range", f"stay between {_LEVEL_LOW:g} and {_LEVEL_HIGH:+g} dB")
        return BedChange("", Decibels(shift), place)
    if re.fullmatch(r"[+\-−–]?\d+(\.\d+)?", text):
        raise Fault(f"{text} has no unit", f"write [bed {text}dB]")
    if ":" not in text and (found := _LEVEL.search(text)):
        name = text.replace(found.group(), "").strip()
        raise Fault("a bed and its level are two cues", f"write [bed {name}] [bed {found.group()}]")
    if text.lower() == "off":
        return BedChange("off", Decibels(0.0), place)
    try:
        layers = read_bed(text)
    except BadBed as fault:
        raise Fault(str(fault), fault.hint) from None
    for layer in layers:
        _file(layer.name, "bed")
    return BedChange(text, Decibels(0.0), place)


def _sound(text: str, place: Place) -> Item:
    if not text:
        raise Fault("a sound needs the name of a file", "write for example [sound gong.wav]")
    return SoundCue(_file(text, "sound"), place)


def _file(text: str, what: str) -> str:
    """Check the name of something on a sounds shelf: a relative path that stays on its shelf."""
    steps = text.split("/")
    outside = text.startswith(("/", "~")) or "\\" in text or ":" in text or ".." in steps or "." in steps or "" in steps
    if outside:
        example = "rain" if what == "bed" else "gong.wav"
        raise Fault(f"a {what} comes from a sounds shelf", f"write only its name there, such as {example}")
    if not all(re.fullmatch(r"[\w][\w .'+()-]*", step) for step in steps):
        raise Fault(f'"{text}" is not the name of a {what}', "use letters, digits, - and _")
    return text


_BREATH = "breath"
"""The one cue that asks the shelves: its patterns are data."""

_READERS: Mapping[str, Callable[[str, Place], Item]] = MappingProxyType(
    {
        "pause": _gap("pause", PAUSE),
        "silence": _gap("silence", SILENCE),
        "bell": _bell,
        "bed": _bed,
        "sound": _sound,
    }
)
