"""Engines whoever made them: what goes wrong inside one is told as its own, and breaks no other."""

from __future__ import annotations

from collections.abc import Sequence

from metta_audio.errors import MettaError, VoiceError
from metta_audio.speech.voice import Engine, Voice, VoiceInfo, glance


class BrokenEngine:
    """Stands in for an engine that could not be loaded: it says why, and breaks nothing else."""

    def __init__(self, name: str, reason: str) -> None:
        self.name = name
        self._reason = reason

    def problem(self) -> str:
        """Say why it could not be loaded."""
        return self._reason

    def voices(self) -> Sequence[VoiceInfo]:
        """List nothing."""
        return []

    def cast(self, variant: str, language: str, roles: int) -> Sequence[str]:
        """Raise VoiceError."""
        del language, roles
        raise unusable(voice_name(self.name, variant), self._reason)

    def open(self, variant: str, language: str) -> Voice:
        """Raise VoiceError."""
        del language
        raise unusable(voice_name(self.name, variant), self._reason)


class Guarded:
    """An engine, asked with care: whatever it raises that is no error of ours becomes one that names it.

    ``source`` is its entry point, so that a user knows whose it is.
    """

    def __init__(self, engine: Engine, name: str, source: str) -> None:
        self.name = name
        self._engine = engine
        self._source = source

    def problem(self) -> str:
        """Say why it cannot run here, also where it fails to say so itself; empty when it can."""
        try:
            return str(self._engine.problem() or "")
        except Exception as error:  # noqa: BLE001 - a third party's engine may raise anything
            return self._fault(error)

    def voices(self) -> Sequence[VoiceInfo]:
        """Its voices; where it cannot list them, one that bears its name and says why."""
        try:
            infos = list(self._engine.voices())
            strange = next((info for info in infos if not isinstance(info, VoiceInfo)), None)
            if strange is None:
                return infos
            fault = f"{self._source} lists a {type(strange).__name__} that is no VoiceInfo"
        except Exception as error:  # noqa: BLE001 - as above
            fault = self._fault(error)
        return [VoiceInfo(self.name, (), "own", problem=fault)]

    def glance(self, variant: str, language: str) -> str:
        """What it tells at a glance; nothing where that fails, as then the rest is asked."""
        try:
            return glance(self._engine, variant, language)
        except Exception:  # noqa: BLE001 - as above
            return ""

    def cast(self, variant: str, language: str, roles: int) -> Sequence[str]:
        """Its variants for ``roles``. Raises VoiceError."""
        try:
            variants = list(self._engine.cast(variant, language, roles))
        except MettaError:
            raise
        except Exception as error:
            raise unusable(voice_name(self.name, variant), self._fault(error)) from error
        if len(variants) != roles:
            fault = f"{self._source} casts {len(variants)} voices where {roles} are asked for"
            raise unusable(voice_name(self.name, variant), fault)
        return variants

    def open(self, variant: str, language: str) -> Voice:
        """Open one of its voices. Raises VoiceError."""
        try:
            return self._engine.open(variant, language)
        except MettaError:
            raise
        except Exception as error:
            raise unusable(voice_name(self.name, variant), self._fault(error)) from error

    def _fault(self, error: Exception) -> str:
        if isinstance(error, MettaError):
            return str(error)
        return " ".join(f"{self._source} fails ({type(error).__name__}: {error})".split())


def unusable(name: str, reason: str) -> VoiceError:
    """The error for the voice ``name``, as the user wrote it."""
    return VoiceError(f'the voice "{name}" cannot be used: {reason}')


def voice_name(engine: str, variant: str) -> str:
    """How a user writes a voice."""
    return f"{engine}:{variant}" if variant else engine
