"""What is wrong with a take: measured figures against limits that have reasons."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from metta_audio.sound.wave import Wave
from metta_audio.takes.envelope import envelope
from metta_audio.takes.lines import usual_lengths
from metta_audio.takes.store import Take
from metta_audio.units import Decibels, Hertz, decibels

NOISE = Decibels(35.0)
"""Voice over room, at least. Once the voice is at -16 LUFS the room is then at -51: under a bed, which lies at -39.
With less, it comes and goes with each line."""

QUIET = Decibels(-45.0)
"""dBFS of the voice, at least. A quieter one is raised by more than 26 dB, and with it the hiss of the microphone's own
amplifier."""

FLAT = 3
"""Samples in a row at the top, at least, that were cut off: two may be the tip of a wave."""

FLAT_TOPS = 3
"""Tops of one height, to a ten-thousandth, that no voice reaches by chance."""

_SAME = 1e-4
_FULL = 0.999
"""At full scale one flat top is proof enough."""

OFFSET = 0.01
"""Share of full scale. A good interface has a tenth of it; where it is more, something is broken."""

FEW_WORDS = 3.0
"""Words of average length under which a line says nothing about a person's pace: it may be drawn out at will."""

DULL = Hertz(32_000)
"""Samples a second, at least. With less, what makes a voice near (up to 16 kHz) is missing."""

_HOP = 20
"""ms: a level is taken of so much. Two periods of the deepest voice."""

_ROOM_SHARE = 0.1
"""The quietest tenth of a take is the room: a quarter of a second on both sides of the words is kept."""

_VOICE_RANGE = 20.0
"""dB under the loudest moments that still count as voice."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured of a take.

    Levels are in dBFS, ``offset`` is a share of full scale. ``pace`` is its length against what its words take at this
    person's own rate: 1 is usual.
    """

    voice: Decibels
    room: Decibels
    flat_tops: int
    offset: float
    pace: float
    rate: Hertz


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong: a word for programs, a sentence with figure and limit for people."""

    kind: str
    text: str


def usual_pace(takes: Iterable[Take]) -> float:
    """Seconds that this person takes for a word of average length: the median over all takes; 0 without any."""
    found = [take.spoken / take.words for take in takes if take.words >= FEW_WORDS]
    return float(np.median(found)) if found else 0.0


def measure(wave: Wave, take: Take, pace: float) -> Figures:
    """Measure a take; ``pace`` is ``usual_pace`` of the set."""
    samples = wave.samples[:, 0].astype(np.float64)
    offset = float(samples.mean()) if len(samples) else 0.0
    levels = _levels(samples - offset, wave.rate)
    loud = float(np.percentile(levels, 95)) if len(levels) else 0.0
    voice = levels[levels > loud * 10 ** (-_VOICE_RANGE / 20)]
    quiet = np.sort(levels)[: max(1, int(len(levels) * _ROOM_SHARE))]
    expected = take.words * pace
    return Figures(
        voice=decibels(_rms(voice)),
        room=decibels(_rms(quiet)),
        flat_tops=flat_tops(samples),
        offset=offset,
        pace=take.spoken / expected if expected else 1.0,
        rate=wave.rate,
    )


def faults(figures: Figures, words: float) -> tuple[Fault, ...]:
    """What is wrong, the worst first; ``words`` is how long the text is."""
    return tuple(Fault(kind, text) for kind, (wrong, text) in _judged(figures, words).items() if wrong)


def _judged(figures: Figures, words: float) -> Mapping[str, tuple[bool, str]]:
    distance = figures.voice - figures.room
    khz = figures.rate / 1000
    shortest, longest = usual_lengths(words)
    return {
        "clipped": (
            figures.flat_tops > 0,
            f"clipped: {figures.flat_tops} flat tops; turn the recording level down until its peaks stay below -6 dBFS",
        ),
        "noisy": (
            distance < NOISE,
            f"noisy: the voice is {_below(distance):.1f} dB above the room, {NOISE:g} are needed; come "
            "closer, or find a quieter room",
        ),
        "quiet": (
            figures.voice < QUIET,
            f"too quiet: the voice is at {_below(figures.voice):.1f} dBFS, {QUIET:g} at least; turn the recording "
            "level up",
        ),
        "short": (
            figures.pace < shortest,
            f"too short for its words: {figures.pace:.0%} of what you usually take, {shortest:.0%} at least",
        ),
        "long": (
            figures.pace > longest,
            f"too long for its words: {figures.pace:.0%} of what you usually take, {longest:.0%} at most",
        ),
        "dull": (
            figures.rate < DULL,
            f"dull: {khz:g} kHz hold nothing above {khz / 2:g} kHz; record at 44.1 or 48 kHz",
        ),
        "offset": (
            # What is cut off at one side only has a mean of its own.
            abs(figures.offset) > OFFSET and not figures.flat_tops,
            f"offset of {figures.offset:.1%} of full scale, {OFFSET:.0%} at most; it is filtered out, but the "
            "microphone or its cable may be broken",
        ),
    }


def _below(figure: float) -> float:
    """Rounded down to a tenth: a figure under a limit never reads as if it reached it."""
    return float(np.floor(figure * 10) / 10)


def flat_tops(samples: NDArray[np.float64]) -> int:
    """How many waves were cut off at the top: at full scale, or at one height below it."""
    return sum(_flat(side) for side in (samples, -samples))


def _flat(samples: NDArray[np.float64]) -> int:
    top = float(samples.max(initial=0.0))
    if top <= 0:
        return 0
    limit = _FULL if top >= _FULL else top * (1 - _SAME)
    high = np.concatenate([[False], samples >= limit, [False]])
    edges = np.flatnonzero(high[1:] != high[:-1])
    runs = edges[1::2] - edges[::2]
    count = int(np.count_nonzero(runs >= FLAT))
    return count if top >= _FULL or count >= FLAT_TOPS else 0


def _levels(samples: NDArray[np.float64], rate: int) -> NDArray[np.float64]:
    """RMS of each whole ``_HOP``, rumble left out."""
    rms = np.square(envelope([samples.astype(np.float32)], rate).astype(np.float64))
    hop = min(_HOP, max(1, len(rms)))
    levels: NDArray[np.float64] = np.sqrt(rms[: len(rms) - len(rms) % hop].reshape(-1, hop).mean(axis=1))
    return levels


def _rms(levels: NDArray[np.float64]) -> float:
    return float(np.sqrt(np.square(levels).mean())) if len(levels) else 0.0
