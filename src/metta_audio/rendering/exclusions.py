"""What a listener must not hear: beds, bells and sounds by name or by family, wherever they would come from."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field

from metta_audio.errors import SoundError, did_you_mean
from metta_audio.rendering.catalogue import beds, bells
from metta_audio.settings import Settings
from metta_audio.shelves import Shelves


@dataclass(frozen=True, slots=True)
class Exclusions:
    """Names and tags that must not sound. ``rain`` also excludes ``rain-heavy``, ``water`` all that is tagged so."""

    words: tuple[str, ...] = ()
    families: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def hit(self, name: str, tags: Iterable[str] = ()) -> str:
        """The exclusion that the sound ``name`` falls under; empty where there is none.

        Every word of a name counts, with the families it stands for: ``MyOcean2.wav`` is an ocean, and water.
        """
        words = _words(name)
        known = {*words, *(tag.lower() for tag in tags)}.union(*(self.families.get(word, ()) for word in words))
        return next((word for word in self.words if word in known), "")


def exclusions(words: Iterable[str], shelves: Shelves, settings: Settings) -> Exclusions:
    """``words`` and those of the settings, checked against all names and tags on the shelves.

    A misspelt exclusion would let through what it was to keep out: SoundError, with a suggestion.
    """
    given = _listed(words)
    wanted = tuple(dict.fromkeys((*given, *_listed(settings.exclude))))
    if not wanted:
        return Exclusions()
    families = _families(shelves)
    known = {word for name in shelves.sound_files() for word in _words(name)}.union(families, *families.values())
    for word in wanted:
        if word not in known:
            with nullcontext() if word in given else settings.blamed("exclude"):
                raise SoundError(f'nothing called "{word}" can be excluded', hint=did_you_mean(word, sorted(known)))
    return Exclusions(wanted, families)


def _listed(words: Iterable[str]) -> list[str]:
    return [word.strip().lower() for word in words if word.strip()]


def _families(shelves: Shelves) -> dict[str, frozenset[str]]:
    """Every bed and bell by name, with its tags; and every word of such a name, with none of its own."""
    models = [(bed.name, bed.tags) for bed in beds(shelves)] + [(bell.name, bell.tags) for bell in bells(shelves)]
    found = {name.lower(): frozenset(tag.lower() for tag in tags) for name, tags in models}
    for name in (*shelves.beds(), *shelves.bells()):
        for word in _words(name):
            found.setdefault(word, frozenset())
    return found


def _words(name: str) -> set[str]:
    """A name, and the words in it: ``OceanWaves2`` and ``ocean_waves-2`` both have an ocean."""
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=\D)(?=\d)|(?<=\d)(?=\D)", " ", name)
    return {name.lower(), *filter(None, re.split(r"[\W_]+", apart.lower()))}
