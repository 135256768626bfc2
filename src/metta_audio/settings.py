"""Where this user keeps things, and what they chose once for all: environment first, then a settings file."""

from __future__ import annotations

import math
import os
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import platformdirs

from metta_audio.errors import MettaError, Place, SettingsError, at, did_you_mean
from metta_audio.speech.setup import AUTO, Setup, engine_points

APP = "metta_audio"

DEFAULT_VOICE = AUTO
"""The best that is here; the built-in one always is."""

DEFAULT_CACHE_LIMIT = 2000
"""MB. A recorded hour takes about 100: room for twenty practices."""

DEFAULT_LOUDNESS = "apple"
"""What podcast apps expect; quieter targets are for those who know why."""

DUCK = ("depth", "attack", "release", "bridge", "rise", "rise_after", "rise_over")
"""Keys of the table [duck]."""

_WITHOUT = ("espeak", "silent", "system", "takes", "tone")
"""Engines of ours that have nothing to set: a line that does nothing would be taken for one that does."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What a user chose once for all.

    ``voice``: the default one. ``fallback``: the voice for lines that a person has not recorded; empty for none.
    ``private``: whether all work is private. ``scripts``: a shelf looked at first. ``cache``: folder of spoken clips,
    and ``cache_limit`` their most in MB. ``exclude``: beds, bells and sounds that must never sound. ``loudness``: a
    name or LUFS. ``duck``: how the bed gives way to the voice, as ``sound.duck.Ducking`` takes it. ``engines``: tables
    that bear an engine's name, as that engine takes them. ``places``: where each of them is written in the settings
    file, by the names that lead to it; nothing for what the environment says instead.
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
    places: Mapping[tuple[str, ...], Place] = field(default_factory=dict)

    def setup(self, *, private: bool = False) -> Setup:
        """What engines are told; for ``private`` work, or where all work is."""
        private = private or self.private
        return Setup(
            self.user / "voices",
            self.user / "takes",
            self.engines,
            private=private,
            places=self.places,
            kept=None if private else self.cache,
        )

    @contextmanager
    def blamed(self, *names: str) -> Iterator[None]:
        """Say of an error about the setting that ``names`` lead to where it comes from: ``blamed("duck", "depth")``."""
        place = self.places.get(names) or self.places.get(names[:1])
        variable = f"METTA_{names[0].upper()}"
        try:
            with at(place):
                yield
        except MettaError as error:
            if place is None and os.environ.get(variable):
                error.what = f"{variable}: {error.what}"
            raise

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
    values, places = _read_file(settings_file())
    for key in ("voice", "scripts", "cache"):
        said = os.environ.get(f"METTA_{key.upper()}")
        if said:
            places.pop((key,), None)
        values[key] = said or values.get(key, "")
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
        engines={key: values[key] for key in values if key in engine_points()},
        places=places,
    )


def _expanded(path: Path) -> Path:
    try:
        return path.expanduser()
    except RuntimeError as error:
        raise SettingsError(f"{path} is in nobody's home folder", hint="write the whole path") from error


_Places = dict[tuple[str, ...], Place]


def _read_file(path: Path) -> tuple[dict[str, Any], _Places]:
    """What the file says, checked as far as it is for all, and where each of it is written."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return {}, {}
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise SettingsError(f"cannot read {path}: {reason}", hint="mend the file or move it away") from error
    try:
        found = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # besides TOML's own: a number or a nesting without end
        at = re.search(r"line (\d+), column (\d+)", str(error))
        place = Place(str(path), int(at[1]), int(at[2])) if at else Place(str(path), 1)
        what = f"{path.name} is not TOML: {error}"
        raise SettingsError(what, place=place, hint='write lines such as voice = "espeak"') from error
    places = _places(path, text, found)
    _check(found, places)
    return found, places


def _check(found: Mapping[str, object], places: _Places) -> None:
    engines = engine_points()
    known = [*(each.name for each in fields(Settings) if each.name not in ("engines", "places")), *engines]
    for key, value in found.items():
        place = places.get((key,))
        if key not in known:
            raise SettingsError(f'unknown setting "{key}"', place=place, hint=did_you_mean(key, known))
        fits, kind, example = _ENGINE if key in engines else _KINDS.get(key, _TEXT)
        if not fits(value):
            raise SettingsError(f'"{key}" must be {kind}', place=place, hint=f"write {example(key)}")
        if key in _WITHOUT and value:
            raise SettingsError(f"the voices of {key} have no settings", place=place, hint="leave this table out")
    _check_duck(found.get("duck", {}), places)


def _check_duck(table: Any, places: _Places) -> None:
    for key, value in table.items():
        place = places.get(("duck", key)) or places.get(("duck",))
        if key not in DUCK:
            raise SettingsError(f'[duck] has no "{key}"', place=place, hint=did_you_mean(key, DUCK))
        if not _is_number(value):
            what = f'"{key}" of [duck] must be a number of {"dB" if key in ("depth", "rise") else "seconds"}'
            raise SettingsError(what, place=place, hint=f"write {key} = and the number, without quotes")


_NAME = r"""(?:[\w-]+|"[^"]*"|'[^']*')"""
_NAMES = rf"{_NAME}(?:\s*\.\s*{_NAME})*"
_HEADER, _ENTRY = re.compile(rf"\s*\[\[?\s*({_NAMES})\s*\]"), re.compile(rf"\s*({_NAMES})\s*=")
_STRINGS = re.compile(r'"{3}(?:\\.|[^\\])*?"{3,5}|\'{3}.*?\'{3,5}|"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\'|#[^\n]*', re.DOTALL)
"""Texts of all four kinds, and comments, in which a quote begins none."""


def _places(path: Path, text: str, found: Mapping[str, object]) -> _Places:
    """Where each key and table stands that begins a line, by the names that lead to it."""
    places: _Places = {}
    table: tuple[str, ...] = ()
    # Of a text over several rows the breaks stay: a row of it may look like a setting. Only these end a row of TOML.
    rows = _STRINGS.sub(lambda found: "\n" * found[0].count("\n") or found[0], text).split("\n")
    for number, row in enumerate(rows, 1):
        header = _HEADER.match(row)
        entry = header or _ENTRY.match(row)
        if entry is None:
            continue
        names = (*(() if header else table), *(name.strip("\"'") for name in re.findall(_NAME, entry[1])))
        if not _leads(names, found):
            continue  # a line of a longer list
        table = names if header else table
        for depth in range(1, len(names) + 1):
            places.setdefault(names[:depth], Place(str(path), number))
    return {**{(key,): Place(str(path), 1) for key in found}, **places}


def _leads(names: tuple[str, ...], found: object) -> bool:
    """Whether ``names`` lead to anything in ``found``."""
    for name in names:
        if not isinstance(found, dict) or name not in found:
            return False
        found = found[name]
    return True


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
        lambda value: isinstance(value, dict),
        "a table",
        lambda key: f"[{key}] and under it lines such as depth = -6",
    ),
}
