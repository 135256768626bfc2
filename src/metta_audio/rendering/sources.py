"""What a rendering is made from: the sha256 of every file it read, under its kind and name, never its path."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from metta_audio.errors import Place
from metta_audio.script.breath_pattern import BreathPattern, Phases
from metta_audio.shelves import Shelves
from metta_audio.sound.wave import Wave


def sha256(source: Path | Wave) -> str:
    """Hash, in hex, of a file's bytes, or of a sound's rate and samples."""
    if isinstance(source, Wave):
        found = hashlib.sha256(f"{source.rate} {source.samples.shape}".encode())
        found.update(np.ascontiguousarray(source.samples, "<f4").data.cast("B"))
        return found.hexdigest()
    with source.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Sources:
    """Shelves that note in ``read`` what was taken from them, as kind and name → sha256."""

    def __init__(self, shelves: Shelves) -> None:
        self.shelves = shelves
        self.read: dict[str, str] = {}

    def note(self, kind: str, name: str, source: Path | Wave) -> None:
        """Note what was read, once."""
        if (key := f"{kind} {name}") not in self.read:
            self.read[key] = sha256(source)

    def pack(self, name: str) -> tuple[str, ...]:
        """As ``Shelves.pack``."""
        phrases = self.shelves.pack(name)
        self.note("pack", name, self.shelves.pack_file(name))
        return phrases

    def part(self, name: str) -> tuple[str, str]:
        """As ``Shelves.part``."""
        file, text = self.shelves.part(name)
        self.note("part", Path(file).stem, Path(file))
        return file, text

    def breath(self, name: str) -> BreathPattern:
        """As ``Shelves.breath``."""
        pattern = self.shelves.breath(name)
        self.note("breath", pattern.name, self.shelves.breath_file(name))
        return pattern

    def breath_like(self, phases: Phases) -> BreathPattern | None:
        """As ``Shelves.breath_like``: it changes what is told, not what is heard."""
        return self.shelves.breath_like(phases)

    def bed(self, name: str) -> tuple[str, str]:
        """As ``Shelves.bed``."""
        file, text = self.shelves.bed(name)
        self.note("bed", name, Path(file))
        return file, text

    def bell(self, name: str) -> tuple[str, str]:
        """As ``Shelves.bell``."""
        file, text = self.shelves.bell(name)
        self.note("bell", name, Path(file))
        return file, text

    def sound(self, name: str, place: Place | None = None) -> Path:
        """As ``Shelves.sound``. Only who reads the file knows whether it can be read, and notes it then."""
        return self.shelves.sound(name, place)
