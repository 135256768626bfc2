"""What a listener must not hear: beds, bells and sounds by name or by family, wherever they would come from."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from metta_audio.errors import SoundError, did_you_mean
from metta_audio.rendering.catalogue import beds, bells
from metta_audio.shelves import Shelves


@dataclass(frozen=True, slots=True)
class Exclusions:
    """Names and tags that must not sound. ``rain`` also excludes ``rain-heavy``, ``water`` all that is tagged so."""

    words: tuple[str, ...] = ()

    def hit(self, name: str, tags: Iterable[str] = ()) -> str:
        """The exclusion that the sound ``name`` falls under; empty where there is none.

        Every word of a name counts: ``My Ocean 2.wav`` is an ocean.
        """
        known = {*_words(name), *(tag.lower() for tag in tags)}
        return next((word for word in self.words if word in known), "")


def exclusions(words: Iterable[str], shelves: Shelves) -> Exclusions:
    """``words`` checked against all names and tags on the shelves. Raises SoundError with a suggestion.

    A misspelt exclusion would let through what it was to keep out.
    """
    wanted = tuple(dict.fromkeys(word.strip().lower() for word in words if word.strip()))
    known = _known(shelves) if wanted else set()
    for word in wanted:
        if word not in known:
            raise SoundError(f'nothing called "{word}" can be excluded', hint=did_you_mean(word, sorted(known)))
    return Exclusions(wanted)


def _known(shelves: Shelves) -> set[str]:
    """Every word of every name of a bed, bell or sound file, and every tag."""
    known = {word for name in (*shelves.beds(), *shelves.bells(), *shelves.sound_files()) for word in _words(name)}
    known.update(tag for bed in beds(shelves) for tag in bed.tags)
    known.update(tag for bell in bells(shelves) for tag in bell.tags)
    return {word.lower() for word in known}


def _words(name: str) -> set[str]:
    return {name.lower(), *filter(None, re.split(r"[\W_]+", name.lower()))}
