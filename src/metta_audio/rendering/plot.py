"""A picture of the timeline: one lane for each role and for cues, time from left to right."""

from __future__ import annotations

from pathlib import Path

from metta_audio.encode.staging import Staging
from metta_audio.errors import SettingsError, did_you_mean
from metta_audio.rendering.flow import Plan
from metta_audio.settings import read_settings
from metta_audio.timeline.listing import rows
from metta_audio.units import to_seconds

FORMATS = ("png", "svg")

COLOURS = {"line": "#35597a", "breath": "#7aa38a", "bell": "#c08a3e", "sound": "#c08a3e", "bed": "#8d6f8f",
           "silence": "#e3dccf", "pause": "#f3efe7"}  # fmt: skip
"""Speech dark, silence light: what a listener hears most is what the eye sees least."""


def plot(plan: Plan, path: Path) -> Path:
    """Draw the plan into a PNG or SVG file. Needs the extra ``plot`` (matplotlib)."""
    kind = path.suffix.lower().lstrip(".")
    if kind not in FORMATS:
        raise SettingsError(f'cannot plot into "{path.name}"', hint=did_you_mean(kind, FORMATS))
    try:
        import matplotlib as mpl
        from matplotlib.figure import Figure
    except ImportError as error:
        raise SettingsError("plots need matplotlib", hint='install it with: pip install "metta-audio[plot]"') from error
    lanes: list[str] = []
    # The same plan gives the same bytes: no random ids, no date.
    with mpl.rc_context({"svg.hashsalt": "metta_audio", "font.family": "DejaVu Sans"}):
        figure = Figure(figsize=(14, 4), dpi=110, layout="constrained")
        axes = figure.add_subplot()
        for row in rows(plan.timeline, plan.session):
            lane = row.role or ("silence" if row.kind in ("pause", "silence") else row.kind)
            if lane not in lanes:
                lanes.append(lane)
            width = max(row.seconds, 0.2) / 60
            axes.barh(lanes.index(lane), width, left=row.start / 60, height=0.7, color=COLOURS[row.kind], linewidth=0)
        for chapter in plan.timeline.chapters:
            at = to_seconds(chapter.start) / 60
            axes.axvline(at, color="#999999", linewidth=0.6, zorder=0)
            axes.annotate(chapter.title, (at, 1.02), xycoords=("data", "axes fraction"), rotation=28, fontsize=8)
        axes.set_yticks(range(len(lanes)), lanes)
        axes.invert_yaxis()
        axes.set_xlim(0, to_seconds(plan.timeline.length) / 60)
        axes.set_xlabel("minutes")
        for side in ("top", "right", "left"):
            axes.spines[side].set_visible(False)
        with Staging(path.parent, read_settings().work) as staging:
            metadata = {"Date": None} if kind == "svg" else {"Software": None}
            figure.savefig(staging.path(path.name), format=kind, metadata=metadata)
            return staging.commit()[0]
