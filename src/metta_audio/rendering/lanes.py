"""Lanes and titles that every picture of a session has: who speaks, what sounds, where a section begins."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from textwrap import shorten
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLOURS = {"line": "#35597a", "breath": "#7aa38a", "bell": "#c08a3e", "sound": "#b0643c", "bed": "#8d6f8f",
           "silence": "#d5cab5", "pause": "#ece6da"}  # fmt: skip
"""Speech dark, silence light: what a listener hears most is what the eye sees least."""

_CUES = {"breath": "breath", "bell": "bell", "sound": "sound", "bed": "bed", "pause": "pause, silence",
         "silence": "pause, silence"}  # fmt: skip
"""Kind → lane, below those of the roles."""

WIDE, LEFT, RIGHT = 14.0, 1.4, 0.3
"""Inches: the figure, and its margins. At 110 dots an inch it fills a screen's width."""

BODY = WIDE - LEFT - RIGHT

LANE, TITLE, HEAD, FOOT = 0.45, 0.2, 0.4, 0.6
"""Inches: height of a lane, of a row of section titles, of the head line and of the time axis."""

DOTS = 110
"""An inch."""

LETTERS = 8.5
"""Points. The smallest that a screen shows without blur."""

_LONGEST_TITLE = 48
"""Characters of a section's title: what is longer would push all others into rows of their own."""


@dataclass(frozen=True, slots=True)
class Bar:
    """Something that sounds, or is silent, from ``start`` on for ``seconds``. ``role`` is empty for a cue."""

    kind: str
    start: float
    seconds: float
    role: str = ""


@dataclass(frozen=True, slots=True)
class Title:
    """A section's title; ``start`` and ``left`` in minutes, ``row`` counted from the lanes upward."""

    text: str
    start: float
    left: float
    row: int


def sorted_lanes(bars: Iterable[Bar], roles: Mapping[str, str]) -> dict[str, list[Bar]]:
    """What happens in each lane: ``roles`` (name → how it is shown) in their order, then the cues; no empty lane."""
    lanes: dict[str, list[Bar]] = {label: [] for label in (*roles.values(), *_CUES.values())}
    for bar in bars:
        lanes[roles[bar.role] if bar.role else _CUES[bar.kind]].append(bar)
    return {label: found for label, found in lanes.items() if found}


def draw_lanes(axes: Axes, lanes: Mapping[str, Sequence[Bar]], minutes: float) -> None:
    """One row for each lane, the first on top, over ``minutes`` from left to right."""
    thinnest = minutes / 1400  # one dot: a short word must not vanish
    for number, bars in enumerate(lanes.values()):
        spans = [(bar.start / 60, max(bar.seconds / 60, thinnest)) for bar in bars]
        axes.broken_barh(spans, (number - 0.36, 0.72), facecolors=[COLOURS[bar.kind] for bar in bars], linewidth=0)
    axes.set_xlim(0, minutes)
    axes.set_ylim(len(lanes) - 0.5, -0.5)
    axes.set_yticks(range(len(lanes)), list(lanes))
    axes.tick_params(axis="y", length=0)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)


def place_titles(sections: Iterable[tuple[float, str]], minutes: float) -> list[Title]:
    """Sections, as start in seconds and title, each in the lowest row in which it runs into no other.

    The last ones are pushed back from the right edge.
    """
    from matplotlib.textpath import TextPath

    scale = minutes / BODY
    free: list[float] = []
    titles = []
    for start, title in sections:
        text = shorten(title, _LONGEST_TITLE, placeholder=" …")
        extents = TextPath((0, 0), text.replace("$", r"\$"), size=LETTERS).get_extents()
        width = (extents.width / 72 + 0.1) * scale
        left = max(0.0, min(start / 60, BODY * scale - width))
        row = next((row for row, end in enumerate(free) if end <= left), len(free))
        free[row : row + 1] = [left + width]
        titles.append(Title(text, start / 60, left + 0.04 * scale, row))
    return titles


def draw_titles(axes: Axes, titles: Iterable[Title], body: float) -> None:
    """Write the titles above ``axes``, which are ``body`` inches high, each with a line down to where it begins."""
    across = axes.get_xaxis_transform()
    for title in titles:
        y = 1 + TITLE * (title.row + 0.6) / body
        axes.plot([title.start] * 2, [0, y], transform=across, color="#b8b2a8", lw=0.7, zorder=0, clip_on=False)
        # On paper of its own: the lines of titles in the rows above pass behind it.
        paper: Any = {"facecolor": "white", "edgecolor": "none", "pad": 1}
        axes.text(title.left, y, title.text, transform=across, fontsize=LETTERS, va="center", bbox=paper)
