"""What is wrong with a take: measured figures against limits that have reasons."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from metta_audio.sound.wave import Wave
from metta_audio.takes.envelope import envelope
from metta_audio.takes.index import Take
from metta_audio.takes.lines import usual_lengths
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

SERIOUS = ("missing", "damaged", "doubtful", "short", "long", "clipped", "noisy", "quiet", "dull", "offset")
"""Kinds of faults, the most serious first: what cannot be heard, what may be other words than the line's, what nothing
mends, what will be heard, what will hardly be."""

_TITLES: Mapping[str, str] = {"quiet": "too quiet", "short": "too short", "long": "too long"}

_ALL_SHOWN = 3
"""Figures that can be read at a glance."""

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
    """One thing that is wrong.

    ``kind`` is a word for programs, ``figure`` what was measured, with its unit; empty where nothing was. ``advice`` is
    the same for all faults of its kind: the limit, and what to do. The larger ``weight`` is, the worse it is.
    """

    kind: str
    figure: str = ""
    advice: str = ""
    weight: float = 0.0

    @property
    def title(self) -> str:
        """The kind, for people."""
        return _TITLES.get(self.kind, self.kind)

    @property
    def text(self) -> str:
        """All of it as a sentence."""
        return "; ".join(filter(None, (": ".join(filter(None, (self.title, self.figure))), self.advice)))


@dataclass(frozen=True, slots=True)
class Group:
    """All faults of one kind: the numbers of the ``lines`` that have it, and the range of what was measured."""

    title: str
    lines: tuple[int, ...]
    figures: str
    advice: str


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


def grouped(found: Iterable[tuple[int, Fault]]) -> tuple[Group, ...]:
    """Faults by their kind, the most serious kind first; each comes with the number of its line."""
    kinds: dict[str, list[tuple[int, Fault]]] = {}
    for number, fault in found:
        kinds.setdefault(fault.kind, []).append((number, fault))
    order = [kind for kind in SERIOUS if kind in kinds] + [kind for kind in kinds if kind not in SERIOUS]
    return tuple(_group(kinds[kind]) for kind in order)


def _group(found: Sequence[tuple[int, Fault]]) -> Group:
    fault = found[0][1]
    return Group(fault.title, tuple(sorted(number for number, _ in found)), _range(found), fault.advice)


def _range(found: Sequence[tuple[int, Fault]]) -> str:
    """Every figure with its line, the worst first; of more than a few, the worst and the least."""
    worst = sorted(found, key=lambda each: (-each[1].weight, each[0]))
    shown = worst if len(worst) <= _ALL_SHOWN else [worst[0], worst[-1]]
    if len({fault.figure for _, fault in found}) == 1:
        return worst[0][1].figure
    return (", " if shown is worst else " to ").join(f"{fault.figure} (line {number})" for number, fault in shown)


def faults(figures: Figures, words: float) -> tuple[Fault, ...]:
    """What is wrong with a take, the most serious first; ``words`` is how long the text is."""
    found = {fault.kind: fault for fault in _judged(figures, words)}
    return tuple(found[kind] for kind in SERIOUS if kind in found)


def _judged(figures: Figures, words: float) -> Iterator[Fault]:
    distance = figures.voice - figures.room
    shortest, longest = usual_lengths(words)
    if figures.flat_tops:
        advice = "turn the recording level down until its peaks stay below -6 dBFS"
        yield Fault("clipped", f"{figures.flat_tops} flat tops", advice, figures.flat_tops)
    if distance < NOISE:
        advice = f"the voice must be {NOISE:g} dB above the room: come closer, or find a quieter room"
        yield Fault("noisy", f"{_below(distance):.1f} dB", advice, -distance)
    if figures.voice < QUIET:
        advice = f"the voice must reach {QUIET:g} dBFS: turn the recording level up"
        yield Fault("quiet", f"{_below(figures.voice):.1f} dBFS", advice, -figures.voice)
    if figures.pace < shortest:
        yield Fault(
            "short", f"{figures.pace:.0%} of its usual length", "listen: is a part of it missing?", -figures.pace
        )
    if figures.pace > longest:
        yield Fault("long", f"{figures.pace:.0%} of its usual length", "listen: was it read twice?", figures.pace)
    if figures.rate < DULL:
        advice = "nothing above half of that is in it: record at 44.1 or 48 kHz"
        yield Fault("dull", f"{figures.rate / 1000:g} kHz", advice, -figures.rate)
    # What is cut off at one side only has a mean of its own.
    if abs(figures.offset) > OFFSET and not figures.flat_tops:
        advice = f"{OFFSET:.0%} of full scale at most: it is filtered out, but a microphone or cable may be broken"
        yield Fault("offset", f"{figures.offset:.1%}", advice, abs(figures.offset))


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
