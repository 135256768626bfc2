"""Where this user keeps things, and what they chose once for all: environment first, then a settings file."""

from __future__ import annotations

import math
import os
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import platformdirs

from metta_audio.errors import Place, SettingsError, did_you_mean
from metta_audio.speech.setup import AUTO, GROUP, Setup

APP = "metta_audio"

DEFAULT_VOICE = AUTO
"""The best that is here; the built-in one always is."""

DEFAULT_CACHE_LIMIT = 2000
"""MB. A recorded hour takes about 100: room for twenty practices."""

DEFAULT_LOUDNESS = "apple"
"""What podcast apps expect; quieter targets are for those who know why."""

DUCK = ("depth", "attack", "release", "bridge", "rise", "rise_after", "rise_over")
"""Keys of the table [duck]."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What a user chose once for all.

    ``voice``: the default one. ``fallback``: the voice for lines that a person has not recorded; empty for none.
    ``private``: whether all work is private. ``scripts``: a shelf looked at first. ``cache``: folder of spoken clips,
    and ``cache_limit`` their most in MB. ``exclude``: beds, bells and sounds that must never sound. ``loudness``: a
    name or LUFS. ``duck``: how the bed gives way to the voice, as ``sound.duck.Ducking`` takes it. ``engines``: tables
    that bear an engine's name, as that engine takes them.
    """

    voice: str = DEFAULT_VOICE
    fallback: str = ""
    private: bool = False
    scripts: Path | None = None
    cache: Path = Path()
    cache_limit: float = DEFAULT_CACHE_LIMIT
    user: Path = Path()
    exclude: tuple[str, ...] = ()
    loudness: str | float = DEFAULT_LOUDNESS
    duck: Mapping[str, float] = field(default_factory=dict)
    engines: Mapping[str, Mapping[str, object]] = field(default_factory=dict)

    def setup(self, *, private: bool = False) -> Setup:
        """What engines are told; for ``private`` work, or where all work is."""
        return Setup(self.user / "voices", self.user / "takes", self.engines, private=private or self.private)

    @property
    def clips(self) -> Path:
        """Folder of the clip cache."""
        return self.cache / "clips"

    @property
    def cache_bytes(self) -> int:
        """How many bytes the clips may take."""
        return round(self.cache_limit * 1_000_000)

    @property
    def secret(self) -> Path:
        """File with the secret that clips are named with: apart from them."""
        return self.user / "cache.secret"

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
    """Settings from METTA_VOICE, METTA_SCRIPTS, METTA_CACHE and METTA_EXCLUDE, then the file, then the defaults.

    Raises SettingsError for a file that is not TOML, an unknown key or a value of the wrong type.
    """
    values = _read_file(settings_file())
    for key in ("voice", "scripts", "cache"):
        values[key] = os.environ.get(f"METTA_{key.upper()}") or values.get(key, "")
    exclude = os.environ.get("METTA_EXCLUDE")
    return Settings(
        voice=values["voice"] or DEFAULT_VOICE,
        fallback=values.get("fallback", ""),
        private=values.get("private", False),
        scripts=_expanded(Path(values["scripts"])) if values["scripts"] else None,
        cache=_expanded(Path(values["cache"] or platformdirs.user_cache_path(APP))),
        cache_limit=values.get("cache_limit", DEFAULT_CACHE_LIMIT),
        user=_expanded(Path(values.get("user") or platformdirs.user_data_path(APP))),
        # Both count: what must never be heard is not made audible by another wish.
        exclude=(*values.get("exclude", ()), *filter(None, map(str.strip, (exclude or "").split(",")))),
        loudness=values.get("loudness", DEFAULT_LOUDNESS),
        duck=values.get("duck", {}),
        engines={key: values[key] for key in values if key in _engine_names()},
    )


def _expanded(path: Path) -> Path:
    try:
        return path.expanduser()
    except RuntimeError as error:
        raise SettingsError(f"{path} is in nobody's home folder", hint="write the whole path") from error


def _read_file(path: Path) -> dict[str, Any]:
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
        at = re.search(r"line (\d+), column (\d+)", str(error))
        place = Place(str(path), int(at[1]), int(at[2])) if at else Place(str(path), 1)
        what = f"{path.name} is not TOML: {error}"
        raise SettingsError(what, place=place, hint='write lines such as voice = "espeak"') from error
    engines = _engine_names()
    known = [*(each.name for each in fields(Settings) if each.name != "engines"), *engines]
    for key, value in found.items():
        place = _place(path, text, key)
        if key not in known:
            raise SettingsError(f'unknown setting "{key}"', place=place, hint=did_you_mean(key, known))
        fits, kind, example = _ENGINE if key in engines else _KINDS.get(key, _TEXT)
        if not fits(value):
            raise SettingsError(f'"{key}" must be {kind}', place=place, hint=f"write {example(key)}")
        for inner in value if key == "duck" and isinstance(value, dict) else ():
            if inner not in DUCK:
                raise SettingsError(
                    f'[{key}] has no "{inner}"', place=_place(path, text, inner), hint=did_you_mean(inner, DUCK)
                )
    return dict(found)


@cache  # what is installed does not change
def _engine_names() -> frozenset[str]:
    return frozenset(point.name for point in entry_points(group=GROUP))


def _place(path: Path, text: str, key: str) -> Place:
    """The line that ``key`` begins, or that begins its table."""
    begins = re.compile(rf"\s*[\[\"']*{re.escape(key)}[\"']?\s*[=\].]")
    lines = enumerate(text.splitlines(), 1)
    return Place(str(path), next((number for number, row in lines if begins.match(row)), 1))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_Kind = tuple[Callable[[object], bool], str, Callable[[str], str]]
"""Whether a value fits, what it must be, and how to write it."""

_TEXT: _Kind = (
    lambda value: isinstance(value, str) and "\0" not in value,
    "a text",
    lambda key: f'{key} = "…"',
)

_ENGINE: _Kind = (lambda value: isinstance(value, dict), "a table", lambda key: f"[{key}] and lines under it")
"""What stands in an engine's table is for the engine to judge."""

_KINDS: Mapping[str, _Kind] = {
    "exclude": (
        lambda value: isinstance(value, list) and all(isinstance(each, str) for each in value),
        "a list of names",
        lambda key: f'{key} = ["ocean"]',
    ),
    "private": (lambda value: isinstance(value, bool), "true or false", lambda key: f"{key} = true"),
    "cache_limit": (
        lambda value: _is_number(value) and 0 <= value < math.inf,  # type: ignore[operator]
        "a number of MB",
        lambda key: f"{key} = {DEFAULT_CACHE_LIMIT}",
    ),
    "loudness": (
        lambda value: isinstance(value, str) or _is_number(value),
        "a name or a number",
        lambda key: f'{key} = "sleep"',
    ),
    "duck": (
        lambda value: isinstance(value, dict) and all(map(_is_number, value.values())),
        "a table of numbers",
        lambda key: f"[{key}] and under it lines such as depth = -6",
    ),
}
