"""The options that several commands share, declared once: which session is meant, and how it is to sound."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import click

import metta_audio
from metta_audio.errors import SettingsError
from metta_audio.rendering.options import Options
from metta_audio.script.model import BREATH_SOUNDS, Session
from metta_audio.sound.levels import TARGETS
from metta_audio.units import Decibels

Decorators = Sequence[Callable[[Callable[..., None]], Callable[..., None]]]

BREATH = click.option(
    "--breath-sound",
    "breath",
    metavar="|".join(BREATH_SOUNDS),
    help="What leads a breath. Default: the practice's.",
)

_WHICH: Decorators = (
    click.argument("practice", metavar="PRACTICE|FILE"),
    click.option(
        "--minutes", type=float, metavar="M", help="Length, exact to the sample. Default: the practice's own."
    ),
    click.option(
        "--set", "params", multiple=True, metavar="KEY=VALUE", help="A parameter of the practice; repeatable."
    ),
    click.option(
        "--seed", type=int, default=0, show_default=True, metavar="N", help="Another seed, another variation."
    ),
    click.option(
        "--scripts", type=click.Path(path_type=Path), metavar="DIR", help="A folder of scripts to look in first."
    ),
)

_HOW: Decorators = (
    click.option(
        "--voice", metavar="NAME|auto", help="The leading voice, such as espeak:en-gb. Default: auto, the best here."
    ),
    click.option("--role", "roles", multiple=True, metavar="ROLE=VOICE", help="The voice of one role; repeatable."),
    click.option("--fallback", metavar="NAME|auto", help="The voice for lines that a person has not recorded."),
    click.option("--private", is_flag=True, help="Keep no spoken clip, and let no text leave this machine."),
    click.option(
        "--bed",
        metavar="NAME|FILE|random|none",
        help='The ambient layer, or layers ("ocean:-3+drone"). Default: the practice\'s.',
    ),
    click.option("--bed-level", type=float, metavar="DB", help="Bed against voice where nobody speaks. Default: -20."),
    click.option(
        "--exclude", multiple=True, metavar="NAME", help="A bed, bell or family that must not sound; repeatable."
    ),
    click.option("--bell", metavar="NAME|random|none", help="The bell of [bell] cues. Default: the practice's."),
    click.option("--start-bell", metavar="[NAME] [xN]|none", help="The bell at the beginning."),
    click.option("--end-bell", metavar="[NAME] [xN]|none", help="The bell at the end."),
    click.option("--interval-bell", metavar="TIME [NAME]", help='A bell every so often, such as "5m" or "5m chime".'),
    BREATH,
    click.option(
        "--loudness",
        metavar="|".join([*TARGETS, "LUFS"]),
        help="Loudness of the whole: a name or a number. Default: apple.",
    ),
    click.option("--plain", is_flag=True, help="Leave the voices as their engines made them: no chain, no room."),
    click.option("--rate", type=float, metavar="WPM", help="Articulation in words a minute. Default: the practice's."),
)


@dataclass(frozen=True, slots=True)
class Which:
    """Which session is meant: a practice, its length and its parameters."""

    practice: str
    minutes: float | None
    params: tuple[str, ...]
    seed: int
    scripts: Path | None

    def session(self) -> Session:
        """The practice, found and filled in."""
        script = metta_audio.load(self.practice, scripts=self.scripts)
        params = pairs(self.params, "--set", "name=Ana")
        return metta_audio.fill(script, minutes=self.minutes, params=params, seed=self.seed, scripts=self.scripts)

    def written(self) -> list[str]:
        """How it is asked for on the command line: the practice, then its options."""
        options = {"--minutes": self.minutes, "--seed": self.seed or None, "--scripts": self.scripts}
        given = [
            part
            for name, value in options.items()
            if value is not None
            for part in (name, str(value).removesuffix(".0"))
        ]
        return [self.practice, *(part for param in self.params for part in ("--set", param)), *given]


@dataclass(frozen=True, slots=True)
class Request(Which):
    """Which session is meant, and how it is to sound."""

    voice: str | None
    roles: tuple[str, ...]
    fallback: str | None
    private: bool
    bed: str | None
    bed_level: float | None
    exclude: tuple[str, ...]
    bell: str | None
    start_bell: str | None
    end_bell: str | None
    interval_bell: str | None
    breath: str | None
    loudness: str | None
    plain: bool
    rate: float | None

    def options(self) -> Options:
        """How it is to sound."""
        level = {} if self.bed_level is None else {"bed_level": Decibels(self.bed_level)}
        return Options(
            voice=self.voice,
            roles=pairs(self.roles, "--role", "self=espeak:en-gb"),
            fallback=self.fallback,
            private=self.private,
            bed=self.bed,
            exclude=self.exclude,
            bell=self.bell,
            start_bell=self.start_bell,
            end_bell=self.end_bell,
            interval_bell=self.interval_bell,
            breath=self.breath,
            loudness=self.loudness,
            plain=self.plain,
            rate=self.rate,
            scripts=self.scripts,
            **level,
        )


def gathered(
    kind: type[Which], more: Decorators = (), name: str = "request"
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command the options that say which session is meant, and ``more``, gathered in one ``kind``.

    It gets that as its argument ``name``.
    """

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        def gather(**given: Any) -> None:
            asked = kind(**{each.name: given.pop(each.name) for each in fields(kind)})
            command(**{name: asked}, **given)

        gather.__doc__ = command.__doc__
        gather.__name__ = command.__name__
        gather.__dict__["__click_params__"] = list(getattr(command, "__click_params__", []))
        decorated: Callable[..., None] = gather
        for decorator in reversed((*_WHICH, *more)):
            decorated = decorator(decorated)
        return decorated

    return decorate


shared = gathered(Request, _HOW)
"""For commands that make a session sound, or lay it out."""


def pairs(entries: tuple[str, ...], option: str, example: str) -> dict[str, str]:
    """KEY=VALUE entries of ``option``, as a dictionary. Raises SettingsError for a fault, or a key given twice."""
    found: dict[str, str] = {}
    for entry in entries:
        key, equals, value = entry.partition("=")
        if not equals or not key.strip():
            # Not repeated: it may be what a listener is called.
            raise SettingsError(f"{option} takes KEY=VALUE", hint=f"write for example {option} {example}")
        if key.strip() in found:
            raise SettingsError(f'{option} gives "{key.strip()}" twice', hint="give each once")
        found[key.strip()] = value
    return found
