"""What the script tests share: a library (two dicts, the shipped breath patterns), ways from text to a session."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import pytest

from metta_audio.errors import ShelfError, did_you_mean
from metta_audio.script.breath_pattern import BreathPattern, Phases
from metta_audio.script.fill import fill
from metta_audio.script.model import Item, Line, Session
from metta_audio.script.parse import parse_script
from metta_audio.shelves import Shelves, shipped_root

SHIPPED = Shelves((shipped_root() / "scripts",), ())

FRONT = """---
title: Practice
params:
  name: {type: text, default: ""}
  n: {type: number, default: 3}
  area: {type: choice, choices: [feet, hands], default: feet}
  rings: {type: list, choices: [self, friend], default: [self, friend]}
  touch: {type: flag, default: true}
roles:
  self: {pan: -0.2}
  inner-critic: {title: Critic}
---
"""
FRONT_LINES = FRONT.count("\n")


@dataclass
class FakeLibrary:
    packs: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: {"four-wishes": ("be safe", "be well")})
    parts: Mapping[str, str] = field(default_factory=dict)

    def pack(self, name: str) -> tuple[str, ...]:
        if name not in self.packs:
            raise ShelfError(f'there is no pack "{name}"', hint=did_you_mean(name, self.packs))
        return self.packs[name]

    def part(self, name: str) -> tuple[str, str]:
        if name not in self.parts:
            raise ShelfError(f'there is no part "{name}"', hint=did_you_mean(name, self.parts))
        return f"shelf/{name}", self.parts[name]

    def breath(self, name: str) -> BreathPattern:
        return SHIPPED.breath(name)

    def breath_like(self, phases: Phases) -> BreathPattern | None:
        return SHIPPED.breath_like(phases)


@pytest.fixture(scope="session")
def fake_library() -> type[FakeLibrary]:
    """The library that every other fixture fills from."""
    return FakeLibrary


@pytest.fixture(scope="session")
def body_line() -> int:
    """Line of the file on which a body given to ``session_of`` starts."""
    return FRONT_LINES + 1


@pytest.fixture(scope="session")
def session_of() -> Callable[..., Session]:
    """``session_of(body, front=…, parts={…}, packs={…}, minutes=…, seed=…, **params)``."""

    def make(body: str, *, front: str = FRONT, parts=None, packs=None, minutes=None, seed=0, **params) -> Session:
        library = FakeLibrary()
        library.parts = parts or {}
        library.packs = packs or library.packs
        script = parse_script((front + body).encode(), name="practice", file="practice.md")
        return fill(script, library=library, minutes=minutes, params=params, seed=seed)

    return make


@pytest.fixture(scope="session")
def items_of(session_of) -> Callable[..., list[Item]]:
    """All items of the session, one list."""
    return lambda body, **options: [i for section in session_of(body, **options).sections for i in section.items]


@pytest.fixture(scope="session")
def spoken(items_of) -> Callable[..., list[str]]:
    """The text of every line."""
    return lambda body, **options: [i.text for i in items_of(body, **options) if isinstance(i, Line)]
