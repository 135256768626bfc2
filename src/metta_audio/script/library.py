"""What filling a script may ask of the shelves: phrase packs, shared parts and breath patterns, by name."""

from __future__ import annotations

from typing import Protocol

from metta_audio.script.breath_pattern import BreathPattern, Phases


class Library(Protocol):
    """Where packs, parts and patterns come from. The shelves implement it; a test needs only a few dicts."""

    def pack(self, name: str) -> tuple[str, ...]:
        """Return the phrases of the pack ``name``. Raises ``ShelfError`` with a suggestion if there is none."""
        ...

    def part(self, name: str) -> tuple[str, str]:
        """Return ``(file as shown in errors, source)`` of ``_parts/NAME.md``. Raises ``ShelfError`` if missing."""
        ...

    def breath(self, name: str) -> BreathPattern:
        """Return the breath pattern ``name``, in any case. Raises ``ShelfError`` with a suggestion if there is none."""
        ...

    def breath_like(self, phases: Phases) -> BreathPattern | None:
        """Return the shipped pattern of these phases: who writes 4-7-8 is told what belongs to it."""
        ...
