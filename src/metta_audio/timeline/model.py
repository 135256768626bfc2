"""The complete plan: every event with its start and length in samples, before any sound exists."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from metta_audio.errors import Place
from metta_audio.script.model import BedChange, Bell, Breath, Line, Pause, SoundCue
from metta_audio.units import Hertz, Samples

EventKind = Literal["line", "pause", "silence", "bell", "breath", "bed", "sound"]


@dataclass(frozen=True, slots=True)
class Word:
    """A word of the text, ``text[start:end]``; ``onset`` is in samples from the first of the sound it belongs to."""

    start: int
    end: int
    onset: Samples


@dataclass(frozen=True, slots=True)
class Event:
    """One thing on the timeline.

    ``start`` and ``length`` are samples of the whole recording; ``low`` and ``high`` bound the length
    (equal for rigid events). ``ring`` is how far the sound goes on past ``start``: it exceeds ``length`` where a
    bell rings under what follows. ``item`` is the session item it was placed for, None for the lead-in and lead-out.
    """

    kind: EventKind
    start: Samples
    length: Samples
    low: Samples
    high: Samples
    section: int
    item: Line | Pause | Bell | Breath | BedChange | SoundCue | None = None
    ring: int = 0

    @property
    def end(self) -> Samples:
        """First sample after the event."""
        return Samples(self.start + self.length)

    @property
    def place(self) -> Place | None:
        """Where the author wrote it; None for what no script asks for."""
        return self.item.place if self.item is not None and self.item.place.file else None

    @property
    def role(self) -> str:
        """Who speaks, for a line; empty otherwise."""
        return self.item.role if isinstance(self.item, Line) else ""

    @property
    def text(self) -> str:
        """What is said, for a line; empty otherwise."""
        return self.item.text if isinstance(self.item, Line) else ""


@dataclass(frozen=True, slots=True)
class Chapter:
    """A section on the timeline, all its repeats together. ``title`` may be empty for text before any heading."""

    title: str
    start: Samples
    length: Samples
    repeats: int


@dataclass(frozen=True, slots=True)
class Timeline:
    """Events in order of start, contiguous: they cover ``[0, length)`` without gap or overlap."""

    rate: Hertz
    length: Samples
    events: tuple[Event, ...]
    chapters: tuple[Chapter, ...]
