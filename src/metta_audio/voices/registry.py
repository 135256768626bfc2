"""Finding voices: every engine that an entry point names, ours or a third party's, each loaded when asked for."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import EntryPoint, entry_points

from metta_audio.errors import VoiceError, did_you_mean
from metta_audio.speech.voice import Engine, Voice

GROUP = "metta_audio.voices"
"""Entry-point group: name of the engine = "module:object", the object being an Engine."""


class BrokenEngine:
    """Stands in for an engine that could not be loaded: it says why, and breaks nothing else."""

    def __init__(self, name: str, reason: str) -> None:
        self.name = name
        self._reason = reason

    def problem(self) -> str:
        """Say why it could not be loaded."""
        return self._reason

    def variants(self) -> Sequence[str]:
        """List nothing."""
        return []

    def cast(self, variant: str, language: str, roles: int) -> Sequence[str]:
        """Raise VoiceError."""
        del language, roles
        raise self._error(variant)

    def open(self, variant: str, language: str) -> Voice:
        """Raise VoiceError."""
        del language
        raise self._error(variant)

    def _error(self, variant: str) -> VoiceError:
        name = f"{self.name}:{variant}" if variant else self.name
        return VoiceError(f'the voice "{name}" cannot be used: {self._reason}', hint="run: metta doctor")


class Engines(Mapping[str, Engine]):
    """Engines by name, each loaded at first use."""

    def __init__(self, points: Mapping[str, EntryPoint]) -> None:
        self._points = points
        self._loaded: dict[str, Engine] = {}

    def __getitem__(self, name: str) -> Engine:
        if name not in self._loaded:
            self._loaded[name] = _load(self._points[name])
        return self._loaded[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._points)

    def __len__(self) -> int:
        return len(self._points)


def _load(point: EntryPoint) -> Engine:
    try:
        engine: Engine = point.load()
    except Exception as error:  # noqa: BLE001 - a third party's module may raise anything
        return BrokenEngine(point.name, f"{point.value} does not load ({type(error).__name__}: {error})")
    return engine


@functools.cache
def engines() -> Mapping[str, Engine]:
    """Every engine installed, by name, in alphabetical order."""
    points = sorted(entry_points(group=GROUP), key=lambda point: point.name)
    return Engines({point.name: point for point in points})


def open_voice(name: str, language: str) -> Voice:
    """Open the voice ``name``, ``engine`` or ``engine:variant``, for ``language`` (BCP 47).

    Raises VoiceError for an unknown voice, and for one that cannot run here, with the reason.
    """
    engine, variant = _engine_of(name)
    problem = engine.problem()
    if problem:
        raise VoiceError(f'the voice "{name}" cannot be used: {problem}', hint="run: metta doctor")
    return engine.open(variant, language.lower())


def cast_roles(lead: str, language: str, roles: Sequence[str], overrides: Mapping[str, str]) -> dict[str, str]:
    """Choose a voice for each of ``roles``, in their order: the first gets ``lead``, the others contrast with it.

    ``overrides`` names a voice for a role outright. Raises VoiceError for an override of no role.
    """
    for role in overrides:
        if role not in roles:
            raise VoiceError(f'no role "{role}" speaks here', hint=did_you_mean(role, roles))
    free = [role for role in roles if role not in overrides]
    engine, variant = _engine_of(lead)
    variants = engine.cast(variant, language.lower(), len(free)) if free else ()
    chosen = {role: _voice_name(engine, variant) for role, variant in zip(free, variants, strict=True)}
    return {role: overrides.get(role) or chosen[role] for role in roles}


def _engine_of(name: str) -> tuple[Engine, str]:
    wanted, _, variant = name.strip().partition(":")
    known = engines()
    if wanted not in known:
        raise VoiceError(f'unknown voice "{name}"', hint=did_you_mean(wanted, known))
    return known[wanted], variant


def _voice_name(engine: Engine, variant: str) -> str:
    return f"{engine.name}:{variant}" if variant else engine.name
