"""Where this user keeps things, and what they chose once for all: environment first, then a settings file."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

import platformdirs

from metta_audio.errors import Place, SettingsError, did_you_mean

APP = "metta_audio"

DEFAULT_VOICE = "espeak"
"""Comes with the package, so that there is always a voice."""


@dataclass(frozen=True, slots=True)
class Settings:
    """``voice``: the default one. ``scripts``: a shelf looked at first. ``cache``: folder of spoken clips."""

    voice: str = DEFAULT_VOICE
    scripts: Path | None = None
    cache: Path = Path()
    user: Path = Path()

    @property
    def clips(self) -> Path:
        """Folder of the clip cache."""
        return self.cache / "clips"

    @property
    def work(self) -> Path:
        """Folder where outputs are made before they are moved into place."""
        return self.cache / "work"


def settings_file() -> Path:
    """The user's settings file, whether or not it is there."""
    return Path(os.environ.get("METTA_SETTINGS") or platformdirs.user_config_path(APP) / "settings.toml")


def debugging() -> bool:
    """Whether METTA_DEBUG=1 asks for tracebacks."""
    return os.environ.get("METTA_DEBUG", "") not in ("", "0")


def read_settings() -> Settings:
    """Settings from METTA_VOICE, METTA_SCRIPTS and METTA_CACHE, then the settings file, then the defaults.

    Raises SettingsError for a file that is not TOML, an unknown key or a value of the wrong type.
    """
    values = _read_file(settings_file())
    for key in ("voice", "scripts", "cache"):
        values[key] = os.environ.get(f"METTA_{key.upper()}") or values.get(key, "")
    user = Path(values.get("user") or platformdirs.user_data_path(APP))
    return Settings(
        voice=values["voice"] or DEFAULT_VOICE,
        scripts=_expanded(Path(values["scripts"])) if values["scripts"] else None,
        cache=_expanded(Path(values["cache"] or platformdirs.user_cache_path(APP))),
        user=_expanded(user),
    )


def _expanded(path: Path) -> Path:
    try:
        return path.expanduser()
    except RuntimeError as error:
        raise SettingsError(f"{path} is in nobody's home folder", hint="write the whole path") from error


def _read_file(path: Path) -> dict[str, str]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise SettingsError(f"cannot read {path}: {reason}", hint="mend the file or move it away") from error
    try:
        found: Mapping[str, object] = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path} is not TOML: {error}", hint='write lines such as voice = "espeak"') from error
    known = [field.name for field in fields(Settings)]
    for key, value in found.items():
        line = next((n for n, row in enumerate(text.splitlines(), 1) if row.lstrip(" \"'").startswith(key)), 1)
        if key not in known:
            raise SettingsError(f'unknown setting "{key}"', place=Place(str(path), line), hint=did_you_mean(key, known))
        if not isinstance(value, str):
            raise SettingsError(f'"{key}" must be a text', place=Place(str(path), line), hint=f'write {key} = "…"')
    return {key: str(value) for key, value in found.items()}
