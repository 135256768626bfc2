"""How a bed is asked for, in a script and on the command line: ``rain``, ``ocean:-3+drone``, ``pad@D3,just``."""

from __future__ import annotations

import re
from dataclasses import dataclass

from metta_audio.units import Decibels

LEVELS = (-60.0, 12.0)
"""dB of a layer against the others. Below, it is not heard; above, the others are not."""

BALANCED = Decibels(0.0)
"""A layer as loud as any bed."""

MOST_LAYERS = 8
"""Layers of one bed: more are heard as noise, and each costs time."""

_LEVEL = re.compile(r"(.*?)\s*:\s*([+\-−–]?)(\d{1,9}(?:\.\d{1,9})?)\s*(?:db)?\s*", re.IGNORECASE)
_ALONE = ("none", "off", "random")
"""Words that stand for a whole bed."""

_BETWEEN = re.compile(r"(?<!:)\+")
"""The plus between two layers; one after a colon is the sign of a level."""

_ROOT = re.compile(r"([^@]+)@([A-Ga-g](?:#|b)?-?\d|\d{2,4}(?:\.\d{1,3})?)(?:,([A-Za-z]+))?")


class BadBed(ValueError):  # noqa: N818 - a verdict; who asked makes it an error with a place
    """What is wrong with the text, and what to write instead."""

    def __init__(self, what: str, hint: str) -> None:
        super().__init__(what)
        self.hint = hint


@dataclass(frozen=True, slots=True)
class BedLayer:
    """One layer: the ``name`` of a bed (or, on the command line, a file), ``level`` dB against the other layers.

    ``root`` (a note such as "D3", or Hz) and ``tuning`` move a bed of tones; empty leaves them as they are.
    """

    name: str
    level: Decibels = BALANCED
    root: str = ""
    tuning: str = ""


def read_bed(text: str) -> tuple[BedLayer, ...]:
    """The layers that ``text`` asks for, in order. Raises BadBed.

    >>> [(layer.name, layer.level) for layer in read_bed("ocean:-3+drone")]
    [('ocean', -3.0), ('drone', 0.0)]
    """
    layers = tuple(_layer(part.strip()) for part in _BETWEEN.split(text))
    if len(layers) > 1 and (alone := next((each.name for each in layers if each.name in _ALONE), "")):
        raise BadBed(f'"{alone}" cannot be a layer', "name the beds that are to sound together")
    if len(layers) > MOST_LAYERS:
        raise BadBed(f"a bed of {len(layers)} layers", f"at most {MOST_LAYERS} can be told apart")
    return layers


def _layer(text: str) -> BedLayer:
    level = 0.0
    if found := _LEVEL.fullmatch(text):
        text, sign, digits = found.groups()
        level = float(digits) * (-1 if sign in ("-", "−", "–") else 1)
        low, high = LEVELS
        if not low <= level <= high:
            raise BadBed(f"a layer at {level:g} dB is out of range", f"choose from {low:g} to {high:+g} dB")
    root = tuning = ""
    if "@" in text:
        tuned = _ROOT.fullmatch(text)
        if tuned is None:
            raise BadBed(f'"{text}" names no root', "write for example pad@D3, pad@146.8 or pad@D3,just")
        text, root, tuning = tuned[1], tuned[2], tuned[3] or ""
    if re.search(r":\s*[\w.+-]*$", text) and not re.search(r"[/\\]", text):
        low, high = LEVELS
        raise BadBed(f'"{text}" has no level that can be read', f"write one number of dB from {low:g} to {high:+g}")
    if not text.strip():
        raise BadBed("a layer without a name", "write for example ocean:-3+drone")
    return BedLayer(text.strip(), Decibels(level), root, tuning)
