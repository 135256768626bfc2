"""Every bed and bell on the shelves, as its data file describes it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, TypeVar

from metta_audio.errors import MettaError
from metta_audio.shelves import Shelves
from metta_audio.sound.bed import BedModel, load_bed
from metta_audio.sound.bell import BellModel, load_bell

M_co = TypeVar("M_co", covariant=True)


class _Load(Protocol[M_co]):
    def __call__(self, text: str, *, name: str, file: str) -> M_co: ...


def beds(shelves: Shelves) -> list[BedModel]:
    """All beds that can be read, by name."""
    return [model for _, model in listed_beds(shelves) if isinstance(model, BedModel)]


def bells(shelves: Shelves) -> list[BellModel]:
    """All bells that can be read, by name."""
    return [model for _, model in listed_bells(shelves) if isinstance(model, BellModel)]


def listed_beds(shelves: Shelves) -> Iterator[tuple[str, BedModel | MettaError]]:
    """All beds by name; of one that cannot be read, why."""
    return _listed(shelves.beds(), shelves.bed, load_bed)


def listed_bells(shelves: Shelves) -> Iterator[tuple[str, BellModel | MettaError]]:
    """All bells by name; of one that cannot be read, why."""
    return _listed(shelves.bells(), shelves.bell, load_bell)


def _listed(
    names: Iterable[str], find: Callable[[str], tuple[str, str]], load: _Load[M_co]
) -> Iterator[tuple[str, M_co | MettaError]]:
    for name in names:
        try:
            file, text = find(name)
            yield name, load(text, name=name, file=file)
        except MettaError as error:
            yield name, error
