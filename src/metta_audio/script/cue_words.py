"""What the words of several cues have in common: counts, lengths, and the fault that becomes an error with a place."""

from __future__ import annotations

import re

from metta_audio.units import Seconds, parse_duration

COUNT = re.compile(r"[x×](\d+)", re.IGNORECASE)
"""How often: ``x3``."""


class Fault(ValueError):  # noqa: N818 - a verdict; read_cue makes it a ScriptError
    """What is wrong inside a cue, and what to write instead."""

    def __init__(self, what: str, hint: str = "") -> None:
        super().__init__(what)
        self.hint = hint


def duration(text: str) -> Seconds:
    """A length above zero. Raises Fault."""
    try:
        seconds = parse_duration(text)
    except ValueError as fault:
        raise Fault(str(fault)) from None
    if seconds <= 0:
        raise Fault(f"{text.strip()} is no time at all", "write a length above zero, or leave the cue out")
    return seconds


def count(digits: str, limit: int, what: str) -> int:
    """A count from 1 to ``limit`` of ``what``. Raises Fault."""
    number = int(digits[:9])
    if number < 1:
        raise Fault(f"x{digits} is no {what} at all", "count from x1")
    if number > limit:
        raise Fault(f"x{digits[:9]} is more than {limit:,} {what}", "write a smaller number")
    return number
