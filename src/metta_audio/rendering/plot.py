"""A picture of the timeline: one lane for each role and each kind of cue, time from left to right."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from textwrap import shorten
from typing import TYPE_CHECKING, Any

from metta_audio.encode.staging import Staging
from metta_audio.errors import SettingsError, did_you_mean
from metta_audio.rendering.flow import Plan
from metta_audio.settings import read_settings
from metta_audio.timeline.listing import Row, rows
from metta_audio.units import clock, to_seconds

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FORMATS = ("png", "svg")

COLOURS = {"line": "#35597a", "breath": "#7aa38a", "bell": "#c08a3e", "sound": "#b0643c", "bed": "#8d6f8f",
           "silence": "#d5cab5", "pause": "#ece6da"}  # fmt: skip
"""Speech dark, silence light: what a listener hears most is what the eye sees least."""

_CUES = {"breath": "breath", "bell": "bell", "sound": "sound", "bed": "bed", "pause": "pause, silence",
         "silence": "pause, silence"}  # fmt: skip
"""Kind → lane, below those of the roles."""

_WIDE, _LEFT, _RIGHT = 14.0, 1.4, 0.3
"""Inches: the figure, and its margins. At 110 dots an inch it fills a screen's width."""

_BODY = _WIDE - _LEFT - _RIGHT

_LANE, _TITLE, _HEAD, _FOOT = 0.45, 0.2, 0.4, 0.6
"""Inches: height of a lane, of a row of section titles, of the head line and of the time axis."""

_LETTERS = 8.5
"""Points. The smallest that a screen shows without blur."""

_LONGEST_TITLE = 48
"""Characters of a section's title: what is longer would push all others into rows of their own."""


def plot(plan: Plan, path: Path) -> Path:
    """Draw the plan into a PNG or SVG file; the same plan gives the same bytes. Needs the extra ``plot`` (matplotlib).

    Raises SettingsError for another suffix and where matplotlib is missing, EncodeError where nothing can be written.
    """
    kind = path.suffix.lower().lstrip(".")
    if kind not in FORMATS:
        raise SettingsError(f'cannot plot into "{path.name}"', hint=did_you_mean(kind, FORMATS))
    try:
        import matplotlib as mpl
    except ImportError as error:
        raise SettingsError("plots need matplotlib", hint='install it with: pip install "metta-audio[plot]"') from error
    # No random ids, no date, no fonts of this machine. Text stays text in SVG: it can be searched and read aloud.
    fixed: Any = {"svg.hashsalt": "metta_audio", "svg.fonttype": "none", "font.family": "DejaVu Sans",
                  "text.parse_math": False}  # fmt: skip
    with mpl.rc_context(fixed), warnings.catch_warnings(), Staging(path.parent, read_settings().work) as staging:
        # A title in letters that the font lacks shows as boxes.
        warnings.filterwarnings("ignore", "Glyph", UserWarning)
        target = staging.path(path.name)
        metadata = {"Date": None} if kind == "svg" else {"Software": None}
        _draw(plan).savefig(target, format=kind, metadata=metadata)
        return staging.commit()[0]


def _draw(plan: Plan) -> Figure:
    from matplotlib.figure import Figure

    lanes, titles = _lanes(plan), _titles(plan)
    minutes = to_seconds(plan.timeline.length) / 60
    body = _LANE * len(lanes)
    high = _HEAD + _TITLE * (1 + max(title.row for title in titles)) + body + _FOOT
    figure = Figure(figsize=(_WIDE, high), dpi=110)
    axes = figure.add_axes((_LEFT / _WIDE, _FOOT / high, _BODY / _WIDE, body / high))
    head = f"{plan.session.header.title}   {clock(minutes * 60).partition('.')[0]}"
    figure.text(_LEFT / _WIDE, 1 - 0.65 * _HEAD / high, head, fontsize=11, weight="bold")
    thinnest = minutes / 1400  # one dot: a short word must not vanish
    for number, events in enumerate(lanes.values()):
        bars = [(row.start / 60, max(row.seconds / 60, thinnest)) for row in events]
        axes.broken_barh(bars, (number - 0.36, 0.72), facecolors=[COLOURS[row.kind] for row in events], linewidth=0)
    across = axes.get_xaxis_transform()
    for title in titles:
        y = 1 + _TITLE * (title.row + 0.6) / body
        axes.plot([title.start] * 2, [0, y], transform=across, color="#b8b2a8", lw=0.7, zorder=0, clip_on=False)
        # On paper of its own: the lines of titles in the rows above pass behind it.
        paper: Any = {"facecolor": "white", "edgecolor": "none", "pad": 1}
        axes.text(title.left, y, title.text, transform=across, fontsize=_LETTERS, va="center", bbox=paper)
    axes.set_xlim(0, minutes)
    axes.set_ylim(len(lanes) - 0.5, -0.5)
    axes.set_yticks(range(len(lanes)), list(lanes))
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel("minutes")
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    return figure


def _lanes(plan: Plan) -> dict[str, list[Row]]:
    """What happens in each lane: roles in the order of the script, then the cues."""
    roles = {name: role.title or name for name, role in plan.session.header.roles.items()}
    lanes: dict[str, list[Row]] = {label: [] for label in (*roles.values(), *_CUES.values())}
    for row in rows(plan.timeline, plan.session):
        lanes[roles[row.role] if row.role else _CUES[row.kind]].append(row)
    return {label: events for label, events in lanes.items() if events}


@dataclass(frozen=True, slots=True)
class _Title:
    """A section's title; ``start`` and ``left`` in minutes, ``row`` counted from the lanes upward."""

    text: str
    start: float
    left: float
    row: int


def _titles(plan: Plan) -> list[_Title]:
    """Each in the lowest row in which it runs into no other; the last ones pushed back from the right edge."""
    from matplotlib.textpath import TextPath

    scale = to_seconds(plan.timeline.length) / 60 / _BODY
    free: list[float] = []
    titles = []
    for chapter in plan.timeline.chapters:
        text = shorten(chapter.title, _LONGEST_TITLE, placeholder=" …")
        extents = TextPath((0, 0), text.replace("$", r"\$"), size=_LETTERS).get_extents()
        width = (extents.width / 72 + 0.1) * scale
        start = to_seconds(chapter.start) / 60
        left = max(0.0, min(start, _BODY * scale - width))
        row = next((row for row, end in enumerate(free) if end <= left), len(free))
        free[row : row + 1] = [left + width]
        titles.append(_Title(text, start, left + 0.04 * scale, row))
    return titles
