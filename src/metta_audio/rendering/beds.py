"""Beds by what was asked for: a name, layers, a recording, whatever chance brings; never what is excluded."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from metta_audio.errors import Place, SoundError
from metta_audio.rendering.catalogue import beds
from metta_audio.rendering.exclusions import Exclusions
from metta_audio.rendering.options import DEFAULT_BED, NONE, RANDOM
from metta_audio.rendering.sources import Sources
from metta_audio.script.beds import BadBed, BedLayer, read_bed
from metta_audio.shelves import is_path
from metta_audio.sound.bed import Bed, BedModel, load_bed, open_bed, open_beds, retuned
from metta_audio.sound.recording import open_recording
from metta_audio.sound.stream import random
from metta_audio.units import Decibels

INSTEAD = (DEFAULT_BED, "pad", "hum", "brown", "pink", "white")
"""What sounds where a script's own bed is excluded, the first that is not: the least eventful ones, that depict
nothing; then any other, in alphabetical order."""

_CHANCE = 1 << 20
"""The stream of random numbers that chooses beds and bells: no layer of a bed has so high a number."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """A bed and what is added to its level, in dB; ``notes`` are for the listener.

    ``steady`` says that it does not come and go by itself, so that it can lead a breath; of a recording nobody knows.
    """

    name: str
    bed: Bed | None
    offset: Decibels = Decibels(0.0)  # noqa: RUF009 - a number by another name
    notes: tuple[str, ...] = ()
    steady: bool = False


SILENCE = Chosen(NONE, None)
NONE_LEFT = Chosen(NONE, None, notes=("every bed is excluded: there is none",))


def chance(seed: int, count: int) -> int:
    """A number below ``count``, the same for the same ``seed``."""
    return int(random(seed, _CHANCE, 0).integers(count))


class BedRack:
    """Opens beds, each once. ``seed`` decides their weather, and what chance brings."""

    def __init__(self, sources: Sources, exclusions: Exclusions, seed: int) -> None:
        self._sources, self._exclusions, self._seed = sources, exclusions, seed
        self._chosen: dict[tuple[str, bool], Chosen] = {}

    def choose(self, text: str, *, asked: bool, place: Place | None = None) -> Chosen:
        """The bed that ``text`` asks for; ``asked`` where the listener did, who may name files.

        What a listener asks for and has excluded is an error. Of what a script asks for, excluded layers are left
        out, and an excluded bed gives way to another, or to none. Raises SoundError, or ShelfError.
        """
        if text in (NONE, "off"):
            return SILENCE
        if (text, asked) not in self._chosen:
            try:
                self._chosen[text, asked] = self._choose(text, asked)
            except SoundError as error:
                raise SoundError(error.what, place=error.place or place, hint=error.hint) from error
        return self._chosen[text, asked]

    def _choose(self, text: str, asked: bool) -> Chosen:
        if text == RANDOM:
            return self._by_chance()
        if asked and is_path(text) and Path(text).exists():
            return self._recording(text)
        try:
            layers = read_bed(text)
        except BadBed as error:
            raise SoundError(f'"{text}" is no bed: {error}', hint=error.hint) from None
        if len(layers) == 1 and layers[0].level > 0:
            hint = "ask for a higher bed level instead" if asked else "write [bed +3dB] after it"
            raise SoundError(f'"{text}" is no bed: a level above 0 only balances layers', hint=hint)
        return self._layers(layers, asked)

    def _layers(self, layers: tuple[BedLayer, ...], asked: bool) -> Chosen:
        opened: list[tuple[BedLayer, Chosen]] = []
        notes: list[str] = []
        for layer in layers:
            word = self._excluded(layer.name, asked)
            if not word:
                opened.append((layer, self._open(layer, asked)))
            elif asked and len(layers) == 1:
                hint = f'ask for another bed, or do not exclude "{word}"'
                raise SoundError(f'the bed "{layer.name}" is excluded', hint=hint)
            else:
                notes.append(f"{layer.name} is excluded and left out")
        if not opened:
            if asked:
                raise SoundError("every layer of the bed is excluded", hint="ask for another bed, or for none")
            return self._instead(layers)
        notes += [note for _, chosen in opened for note in chosen.notes]
        name = "+".join(chosen.name for _, chosen in opened)
        top = max(layer.level for layer, _ in opened)
        parts = [(chosen.bed, Decibels(layer.level - top)) for layer, chosen in opened if chosen.bed is not None]
        bed = parts[0][0] if len(parts) == 1 else open_beds(parts)
        # Levels balance layers; only where all are turned down does the whole go down.
        steady = all(chosen.steady for _, chosen in opened)
        return Chosen(name, bed, Decibels(min(0.0, top)), tuple(dict.fromkeys(notes)), steady)

    def _open(self, layer: BedLayer, asked: bool) -> Chosen:
        # Only a listener may name a file; a script has its shelves.
        if asked and is_path(layer.name):
            return self._recording(layer.name)
        model = self._model(layer.name)
        if layer.root:
            model = retuned(model, layer.root, layer.tuning or None)
        notes = (f"{model.title} needs headphones",) if model.headphones else ()
        return Chosen(model.name, open_bed(model, self._seed), notes=notes, steady=model.steady)

    def _recording(self, path: str) -> Chosen:
        if word := self._exclusions.hit(Path(path).stem):
            raise SoundError(f'{path} is excluded by "{word}"', hint="ask for another bed")
        recording = open_recording(Path(path))
        self._sources.note("recording", Path(path).name, Path(path))
        return Chosen(Path(path).name, recording, notes=recording.notes)

    def _by_chance(self) -> Chosen:
        names = [model.name for model in self._left() if not model.headphones]
        if not names:
            return NONE_LEFT
        name = names[chance(self._seed, len(names))]
        return self._open_as(name, f"the bed was chosen by chance: {name}")

    def _instead(self, layers: tuple[BedLayer, ...]) -> Chosen:
        left = [model.name for model in self._left()]
        name = next((name for name in (*INSTEAD, *left) if name in left), "")
        if not name:
            return NONE_LEFT
        wanted = "+".join(layer.name for layer in layers)
        return self._open_as(name, f"{wanted} is excluded: {name} in its place")

    def _left(self) -> list[BedModel]:
        """Every bed on the shelves that is not excluded, by name."""
        return [model for model in beds(self._sources.shelves) if not self._exclusions.hit(model.name, model.tags)]

    def _open_as(self, name: str, note: str) -> Chosen:
        opened = self._open(BedLayer(name), asked=False)
        return replace(opened, notes=(note, *opened.notes))

    def _model(self, name: str) -> BedModel:
        file, text = self._sources.bed(name)
        return load_bed(text, name=name, file=file)

    def _excluded(self, name: str, asked: bool) -> str:
        if asked and is_path(name):
            return self._exclusions.hit(Path(name).stem)
        return self._exclusions.hit(name, self._model(name).tags) if self._exclusions.words else ""
