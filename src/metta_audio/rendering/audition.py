"""One bed or one bell by itself, to listen to before choosing it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from metta_audio.encode.container import container_of, write_audio
from metta_audio.errors import MettaError, SettingsError, SoundError, did_you_mean
from metta_audio.rendering.beds import BedRack
from metta_audio.rendering.catalogue import listed_beds, listed_bells
from metta_audio.rendering.exclusions import Exclusions, exclusions
from metta_audio.rendering.options import NONE, RANDOM, Progress, silent_progress
from metta_audio.rendering.sources import Sources
from metta_audio.rendering.workplace import workplace
from metta_audio.settings import read_settings
from metta_audio.shelves import Shelves, is_path
from metta_audio.sound.bed import Bed, BedModel
from metta_audio.sound.bell import load_bell
from metta_audio.sound.bell_wait import ring, spacing
from metta_audio.sound.mix import BLOCK, Source
from metta_audio.sound.stream import smooth
from metta_audio.sound.wave import Block, Wave
from metta_audio.units import Decibels, Samples, Seconds, gain, to_samples

SECONDS = (1.0, 3600.0)
"""How long a sample of a sound may be: less shows nothing of it, more than an hour is a recording of its own."""

PEAK = Decibels(-12.0)
"""dBFS that nothing here exceeds: somebody listens closely, perhaps with headphones."""

FADE = Seconds(0.25)
"""At both ends of a bed by itself: no click, and nearly all of it unchanged."""

STRIKES = 3
"""A bell is shown by three strikes: no two are the same."""

LOUDER = Decibels(12.0)
"""A bed by itself is played this much louder than it lies under a voice, where it would hardly be heard."""


@dataclass(frozen=True, slots=True)
class Sound:
    """A bed or bell as a list shows it. ``headphones`` is "needed" or "no"; ``tags`` are its families."""

    name: str
    kind: str
    summary: str
    headphones: str = "no"
    tags: tuple[str, ...] = ()

    def to_json(self) -> dict[str, object]:
        """As JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Sample:
    """A sound by itself: stereo at 44.1 kHz, ``length`` samples. ``notes`` are for the listener.

    Of a bell, ``strike`` is one alone.
    """

    name: str
    source: Source
    length: Samples
    notes: tuple[str, ...] = ()
    strike: Wave | None = None

    def blocks(self, level: Decibels) -> Iterator[Block]:
        """The sound, ``level`` dB above what it has in a recording."""
        factor = np.float32(gain(level))
        for start in range(0, self.length, BLOCK):
            yield self.source.read(start, min(BLOCK, self.length - start)) * factor


def sounds(*, exclude: Iterable[str] = (), shelves: Shelves | None = None) -> list[Sound]:
    """Beds, then bells, each by name, without what is excluded; a file at fault with what is wrong with it.

    Raises SoundError for an exclusion that names nothing.
    """
    settings = read_settings()
    shelves = shelves or Shelves.standard(settings=settings)
    out = exclusions(exclude, shelves, settings)
    found = []
    for kind, listed in (("bed", listed_beds(shelves)), ("bell", listed_bells(shelves))):
        for name, model in listed:
            if isinstance(model, MettaError):
                found.append(Sound(name, kind, f"cannot be read: {model}"))
            elif not out.hit(name, model.tags):
                needed = "needed" if isinstance(model, BedModel) and model.headphones else "no"
                found.append(Sound(name, kind, model.summary or model.title, needed, model.tags))
    return found


def audition(
    name: str, *, seconds: float = 60.0, seed: int = 0, exclude: Iterable[str] = (), shelves: Shelves | None = None
) -> Sample:
    """The bed (a name, layers, a file) for ``seconds``, or the bell called ``name`` until it has rung out.

    Raises SoundError for what is on no shelf, SettingsError for a length out of range.
    """
    low, high = SECONDS
    if not low <= seconds <= high:
        raise SettingsError(f"{seconds:g} s is out of range", hint=f"choose from {low:g} to {high:g} seconds")
    settings = read_settings()
    shelves = shelves or Shelves.standard(settings=settings)
    out = exclusions(exclude, shelves, settings)
    names, bell_names = shelves.beds(), shelves.bells()
    if name in bell_names and name not in names:
        return _bell(name, seed, shelves, out)
    if name in (NONE, "off"):
        raise SoundError("none is silence", hint="choose a name: metta sounds lists them")
    if not (name in names or name == RANDOM or is_path(name) or set(name) & set("+:@")):
        raise SoundError(f'no bed or bell is called "{name}"', hint=did_you_mean(name, [*names, *bell_names]))
    rack = BedRack(Sources(shelves), out, seed)
    chosen = rack.choose(name, asked=True)
    if chosen.bed is None:
        raise SoundError(*chosen.notes, hint="exclude less")
    length = to_samples(seconds)
    return Sample(chosen.name, _Excerpt(chosen.bed, chosen.offset, length), length, chosen.notes)


def save(sample: Sample, path: Path, *, level: Decibels = LOUDER, progress: Progress = silent_progress) -> float:
    """Write the sound into a file of the format that its suffix tells; all or nothing.

    ``level`` is in dB above what it has in a recording; it is lowered where a peak would exceed ``PEAK``. Returns the
    level that it got. Raises EncodeError.
    """
    kind = container_of(path)
    top = max(float(np.abs(block).max(initial=0.0)) for block in sample.blocks(Decibels(0.0)))
    if top > 0:
        level = min(level, Decibels(PEAK - 20 * float(np.log10(top))))
    with workplace(path.parent) as staging:
        write_audio(
            staging.path(path.name),
            kind,
            sample.blocks(level),
            frames=sample.length,
            progress=lambda done: progress("writing", done, sample.length),
        )
        staging.commit()
    return level


class _Excerpt:
    """The first of a bed, with short fades: what is measured on it is the bed."""

    def __init__(self, bed: Bed, offset: Decibels, length: Samples) -> None:
        self._bed, self._gain, self._length = bed, gain(offset), length

    def read(self, start: int, frames: int) -> Block:
        at = np.arange(start, start + frames)
        fade = smooth(np.minimum(at, self._length - 1 - at) / to_samples(FADE)) * self._gain
        return self._bed.read(start, frames) * fade.astype(np.float32)[:, None]


class _Strikes:
    """A few strikes of a bell, one after another."""

    def __init__(self, strikes: list[tuple[int, Block]]) -> None:
        self._strikes = strikes

    def read(self, start: int, frames: int) -> Block:
        block = np.zeros((frames, 2), np.float32)
        for begin, strike in self._strikes:
            first, after = max(start, begin), min(start + frames, begin + len(strike))
            if first < after:
                block[first - start : after - start] += strike[first - begin : after - begin]
        return block


def _bell(name: str, seed: int, shelves: Shelves, out: Exclusions) -> Sample:
    file, text = shelves.bell(name)
    model = load_bell(text, name=name, file=file)
    if out.hit(name, model.tags):
        raise SoundError(f'the bell "{name}" is excluded', hint="choose another: metta sounds lists what is left")
    strikes = [(number * spacing(model), model.strike(seed, number).samples) for number in range(STRIKES)]
    return Sample(name, _Strikes(strikes), Samples(ring(model, STRIKES)), strike=model.strike(seed))
