"""Units with names, and the one rule by which seconds become samples."""

from __future__ import annotations

import math
import re
from fractions import Fraction
from typing import NewType

Seconds = NewType("Seconds", float)
Samples = NewType("Samples", int)
Hertz = NewType("Hertz", int)
Decibels = NewType("Decibels", float)
Lufs = NewType("Lufs", float)
WordsPerMinute = NewType("WordsPerMinute", float)

RATE = Hertz(44_100)
"""The one internal sample rate: what podcast apps expect, and what 10 minutes = 26,460,000 counts."""

LONGEST = Seconds(3 * 3600.0)
"""No duration in a script or on the command line may exceed three hours: longer is a typing error."""

_UNIT_SECONDS = {"ms": Fraction(1, 1000), "s": Fraction(1), "m": Fraction(60), "h": Fraction(3600)}
_DURATION_PART = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)(ms|s|m|h)")


def to_samples(seconds: float | Fraction, rate: int = RATE) -> Samples:
    """Seconds to samples, halves rounded up: ``floor(seconds * rate + 1/2)``, computed exactly.

    >>> to_samples(600)
    26460000
    """
    return Samples(math.floor(Fraction(seconds) * rate + Fraction(1, 2)))


def to_seconds(samples: int, rate: int = RATE) -> Seconds:
    """Samples to seconds."""
    return Seconds(samples / rate)


def to_milliseconds(samples: int, rate: int = RATE) -> int:
    """Samples to whole milliseconds, halves rounded up."""
    return math.floor(Fraction(samples * 1000, rate) + Fraction(1, 2))


def parse_duration(text: str) -> Seconds:
    """Read ``6s``, ``1.5m``, ``1m30s``, ``250ms`` or ``1h``. A unit is required.

    Raises ``ValueError`` with a message fit for an author.

    >>> parse_duration("1m30s")
    90.0
    """
    compact = text.strip().lower()
    parts = list(_DURATION_PART.finditer(compact))
    if not parts or "".join(part.group(0) for part in parts) != compact:
        if re.fullmatch(r"\d+(\.\d+)?", compact):
            raise ValueError(f'"{text.strip()}" has no unit: write {compact}s for seconds or {compact}m for minutes')
        raise ValueError(f'"{text.strip()}" is not a duration: write for example 6s, 1m30s or 250ms')
    seconds = sum((Fraction(part.group(1)) * _UNIT_SECONDS[part.group(2)] for part in parts), Fraction(0))
    if seconds > LONGEST:
        raise ValueError(f'"{text.strip()}" is longer than {int(LONGEST // 3600)} hours')
    return Seconds(float(seconds))


def gain(decibels: float) -> float:
    """Decibels to an amplitude factor.

    >>> round(gain(-20), 3)
    0.1
    """
    return float(10.0 ** (decibels / 20.0))


def decibels(amplitude: float) -> Decibels:
    """Amplitude factor to decibels; ``-inf`` for zero."""
    return Decibels(20.0 * math.log10(amplitude)) if amplitude > 0 else Decibels(-math.inf)


def clock(seconds: float) -> str:
    """``m:ss.mmm`` (or ``h:mm:ss.mmm``) for people.

    >>> clock(61.5)
    '1:01.500'
    """
    total_ms = math.floor(seconds * 1000 + 0.5)
    minutes, ms = divmod(total_ms, 60_000)
    hours, minutes = divmod(minutes, 60)
    head = f"{hours}:{minutes:02d}" if hours else f"{minutes}"
    return f"{head}:{ms // 1000:02d}.{ms % 1000:03d}"


def file_size(size: int) -> str:
    """``size`` in bytes for people: in MB, and in kB where it is less than one.

    >>> file_size(114_200_000), file_size(4_817), file_size(1)
    ('114 MB', '5 kB', '1 kB')
    """
    if size < 999_500:
        return f"{math.ceil(size / 1000) if size < 1000 else round(size / 1000)} kB"
    return f"{round(size / 1e6):,} MB"
