"""What filling a script may ask of the shelves: phrase packs and shared parts, by name."""

from __future__ import annotations

from typing import Protocol


class Library(Protocol):
    """Where packs and parts come from. The shelves implement it; a test needs only two dicts."""

    def pack(self, name: str) -> tuple[str, ...]:
        """Return the phrases of the pack ``name``. Raises ``ShelfError`` with a suggestion if there is none."""
        ...

    def part(self, name: str) -> tuple[str, str]:
        """Return ``(file as shown in errors, source)`` of ``_parts/NAME.md``. Raises ``ShelfError`` if missing."""
        ...
