"""What the cache of spoken clips holds, and keeping it in order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass

from metta_audio.settings import read_settings
from metta_audio.speech.cache import ClipStore, Survey
from metta_audio.speech.secret import machine_secret

SCHEMA = "metta_audio.cache/1"


@dataclass(frozen=True, slots=True)
class CacheState:
    """A folder of clips: how many are in order, how many bytes they take and may take, and what was deleted."""

    folder: str
    clips: int
    bytes: int
    most_bytes: int
    damaged: int = 0
    leftovers: int = 0

    def to_json(self) -> dict[str, object]:
        """As JSON, under its schema name."""
        return {"schema": SCHEMA, **asdict(self)}


def info() -> CacheState:
    """Count the clips, without reading them. Raises SettingsError where the folder cannot be written."""
    return _state(ClipStore.survey)


def verify() -> CacheState:
    """Read every clip, and delete what is damaged. Raises SettingsError where the folder cannot be written."""
    return _state(ClipStore.verify)


def clear() -> CacheState:
    """Delete every clip, and say what there was. Raises SettingsError where the folder cannot be written."""
    return _state(ClipStore.clear)


def _state(look: Callable[[ClipStore], Survey]) -> CacheState:
    settings = read_settings()
    survey = look(ClipStore(settings.clips, machine_secret(settings.secret), settings.cache_bytes))
    return CacheState(folder=str(settings.clips), most_bytes=settings.cache_bytes, **asdict(survey))
