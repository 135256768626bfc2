"""Readings of a script by eSpeak, with everything that happens to people who read aloud."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from readings import spoken

import metta_audio
from metta_audio.rendering.takes import Takes
from metta_audio.script.model import Session
from metta_audio.sound.wave import Wave
from metta_audio.takes.index import Entry, Take

SCRIPT = """---
title: A short visit
minutes: {default: 3, min: 1, max: 60}
params:
  name: {type: text, default: ""}
roles:
  self: {pan: -0.2, title: Your own voice}
---
# Arriving

Welcome{% if name %}, {{ name }}{% endif %}. However you are sitting is fine, and you can change it at any
time. [pause 1s..60s]
Your eyes may be open. Nothing here has to be done well. [pause 1s..60s]
Let the floor carry the weight of your feet for a while, all of it, without any help from you. [pause 1s..60s]

# Visiting

There may be a sound nearby, or none. You could listen to it as if it had been made for you. [pause 1s..60s]
Breathe out. And let the next breath come by itself, in whatever way it likes, deep or shallow. [pause 1s..60s]
Self: I see you, and I am not in a hurry. You can take all the time you need. [pause 1s..60s]
It is enough.

# Leaving

Perhaps you move your fingers, and then your toes, before you look around the room. [pause 1s..60s]
Thank you for spending this time here. [silence 1s..50m]
"""

ROOM = -70.0
"""dBFS of the noise of a quiet room."""


read_aloud = functools.partial(spoken, rate=110.0)


def said(text: str) -> np.ndarray:
    return read_aloud(text).samples[:, 0].astype(float)


def noise(frames: int, level: float, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(frames) * 10 ** (level / 20)


def cough(rate: int, seconds: float = 0.3) -> np.ndarray:
    frames = round(rate * seconds)
    return noise(frames, -26, seed=9) * np.hanning(frames)


class Reader:
    """Reads lines of a session into one recording; ``starts`` are the seconds at which each item begins."""

    def __init__(self, takes: Takes) -> None:
        self.lines = takes.lines
        self.starts: list[float] = []

    def __call__(
        self,
        *items: int | str,
        level: float = 0.0,
        room: float = ROOM,
        gaps: tuple[float, float] = (1.5, 3.0),
        rate: int = 22_050,
        seed: int = 0,
    ) -> Wave:
        """Items are numbers of lines, "cough", "again", "half 7" (a false start) or "paused 7"; none: all lines."""
        random = np.random.default_rng(seed)
        parts: list[np.ndarray] = []
        self.starts = []
        for item in items or [line.number for line in self.lines]:
            parts.append(np.zeros(round(random.uniform(*gaps) * 22_050)))
            self.starts.append(sum(map(len, parts)) / 22_050)
            parts.append(self._said(item))
        parts.append(np.zeros(2 * 22_050))
        whole = np.concatenate(parts) * 10 ** (level / 20)
        if rate != 22_050:
            import soxr

            whole = soxr.resample(whole, 22_050, rate)
        return Wave.mono(whole + noise(len(whole), room), rate)

    words = staticmethod(read_aloud)

    def _said(self, item: int | str) -> np.ndarray:
        if item == "cough":
            return cough(22_050)
        if item == "again":
            return said("again")
        if isinstance(item, int):
            return said(self.lines[item - 1].text)
        how, number = item.split()
        whole = said(self.lines[int(number) - 1].text)
        if how == "half":
            return whole[: len(whole) // 2]
        middle = len(whole) // 2
        return np.concatenate([whole[:middle], np.zeros(round(0.7 * 22_050)), whole[middle:]])


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in, and a user who has nothing."""
    for name in ("METTA_DEBUG", "METTA_SCRIPTS", "METTA_VOICE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("METTA_CACHE", str(tmp_path / "cache"))
    settings = tmp_path / "settings.toml"
    settings.write_text(f"user = {str(tmp_path / 'user')!r}\n")
    monkeypatch.setenv("METTA_SETTINGS", str(settings))
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.chdir(folder)
    (folder / "visit.md").write_text(SCRIPT, encoding="utf-8")
    return folder


@pytest.fixture
def session(home: Path) -> Session:
    return metta_audio.fill(metta_audio.load(home / "visit.md"))


@pytest.fixture
def takes(session: Session) -> Takes:
    """The lines of a short script, and the set "mine", which is empty."""
    return Takes(session, asked=("visit.md",))


@pytest.fixture
def read(takes: Takes) -> Reader:
    return Reader(takes)


@pytest.fixture
def doubt() -> Callable[..., None]:
    """Says that the takes of lines, by their numbers, were matched without certainty."""

    def make(takes: Takes, *numbers: int) -> None:
        for number in numbers:
            takes.set.change(takes.lines[number - 1].key, lambda entry: replace(entry, current=doubted(entry)))

    def doubted(entry: Entry) -> Take:
        assert entry.current is not None
        return replace(entry.current, doubtful=True)

    return make


@pytest.fixture
def reader_of() -> Callable[[Takes], Reader]:
    return Reader


@pytest.fixture
def fill(home: Path) -> Callable[[str], Takes]:
    """The lines of a body under a front matter with a role "self"."""

    def make(body: str, head: str = SCRIPT[: SCRIPT.index("# Arriving")]) -> Takes:
        (home / "t.md").write_text(head + body, encoding="utf-8")
        return Takes(metta_audio.fill(metta_audio.load(home / "t.md")))

    return make
