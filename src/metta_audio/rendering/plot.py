"""A picture of the timeline: one lane for each role and each kind of cue, time from left to right."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from metta_audio.rendering.figure import write_figure
from metta_audio.rendering.flow import Plan
from metta_audio.rendering.lanes import (
    BODY,
    DOTS,
    FOOT,
    HEAD,
    LANE,
    LEFT,
    TITLE,
    WIDE,
    Bar,
    draw_lanes,
    draw_titles,
    place_titles,
    sorted_lanes,
)
from metta_audio.units import clock, to_seconds

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def plot(plan: Plan, path: Path) -> Path:
    """Draw the plan into a PNG or SVG file; the same plan gives the same bytes. Needs the extra ``plot`` (matplotlib).

    Raises SettingsError for another suffix and where matplotlib is missing, EncodeError where nothing can be written.
    """
    return write_figure(lambda: _draw(plan), path)


def _draw(plan: Plan) -> Figure:
    from matplotlib.figure import Figure

    timeline, header = plan.timeline, plan.session.header
    minutes = to_seconds(timeline.length) / 60
    bars = (Bar(event.kind, to_seconds(event.start), to_seconds(event.length), event.role) for event in timeline.events)
    lanes = sorted_lanes(bars, {name: role.title or name for name, role in header.roles.items()})
    titles = place_titles(((to_seconds(chapter.start), chapter.title) for chapter in timeline.chapters), minutes)
    body = LANE * len(lanes)
    high = HEAD + TITLE * (1 + max(title.row for title in titles)) + body + FOOT
    figure = Figure(figsize=(WIDE, high), dpi=DOTS)
    axes = figure.add_axes((LEFT / WIDE, FOOT / high, BODY / WIDE, body / high))
    head = f"{header.title}   {clock(minutes * 60).partition('.')[0]}"
    figure.text(LEFT / WIDE, 1 - 0.65 * HEAD / high, head, fontsize=11, weight="bold")
    draw_lanes(axes, lanes, minutes)
    draw_titles(axes, titles, body)
    axes.set_xlabel("minutes")
    return figure
