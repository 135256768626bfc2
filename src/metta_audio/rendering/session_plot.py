"""A picture of a finished recording that a clinician can read: what is said when, how loud, where the bed gives way."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from metta_audio.errors import EncodeError, Place
from metta_audio.inspection import Recorded, recorded
from metta_audio.rendering.figure import check_format, write_figure
from metta_audio.rendering.lanes import (
    BODY,
    COLOURS,
    DOTS,
    FOOT,
    HEAD,
    LANE,
    LEFT,
    LETTERS,
    TITLE,
    WIDE,
    Bar,
    draw_lanes,
    draw_titles,
    place_titles,
    sorted_lanes,
)
from metta_audio.script.model import Breath
from metta_audio.sound.breath import BedSwell
from metta_audio.sound.duck import Ducking
from metta_audio.sound.levels import BED_CROSSFADE, BED_FADE_IN, BED_FADE_OUT
from metta_audio.sound.loudness import Meter
from metta_audio.sound.stream import smooth
from metta_audio.units import Hertz, Samples, Seconds, clock, gain, to_samples

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_LOUDNESS, _BED, _BETWEEN = 2.2, 1.0, 0.25
"""Inches: height of the panels for loudness and for the bed, and what is between two panels."""

_QUIETEST = -70.0
"""LUFS at the lower edge: BS.1770's absolute gate, under which nothing counts."""

_LOUDEST = -6.0
"""LUFS at the upper edge: 8 LU above the loudest target there is."""

_CURVE_RATE = Hertz(20)
"""Values a second of the bed's curve: an hour's picture has fewer dots than that."""

_LOWEST_BED = -45.0
"""dB. A bed that is off ends here."""

_STEP = 0.1
"""Seconds between two values of the loudness meter."""

_BLOCK = 1 << 16
"""Frames decoded at a time."""


@dataclass(frozen=True, slots=True)
class _Session:
    """What the manifest says, in a form that can be drawn.

    ``beds`` are the bed's changes, as start in seconds and level in dB, ``-inf`` where it is off; empty without a bed.
    ``ducking`` is how it gives way to ``speech``, and keeps still where a breath is ``led``: stretches in seconds.
    ``swell`` are the breaths that it leads itself.
    """

    title: str
    figures: Recorded
    roles: Mapping[str, str]
    bars: tuple[Bar, ...]
    sections: tuple[tuple[float, str], ...]
    beds: tuple[tuple[float, float], ...]
    ducking: Mapping[str, float]
    speech: tuple[tuple[float, float], ...]
    led: tuple[tuple[float, float], ...]
    swell: BedSwell


@dataclass(frozen=True, slots=True)
class _Heard:
    """Loudness of a file every 100 ms in LUFS, over 400 ms and over 3 s; length in seconds."""

    momentary: NDArray[np.float64]
    short_term: NDArray[np.float64]
    seconds: float


def plot_session(recording: Path, picture: Path, record: Mapping[str, Any] | None) -> Path:
    """Draw a finished recording into a PNG or SVG file: sections, lanes, loudness over time, gain of the bed.

    ``record`` is its manifest (``inspection.read_record``); without one only its loudness is drawn. The same recording
    gives the same bytes. Needs the extra ``plot``. Raises SettingsError for another suffix and where matplotlib is
    missing, EncodeError where the recording or its manifest cannot be read, or nothing can be written.
    """
    check_format(picture)
    session = None if record is None else _read(record, recording)
    heard = _listen(recording)
    return write_figure(lambda: _draw(recording.name, heard, session), picture)


def _listen(recording: Path) -> _Heard:
    import soundfile

    try:
        with soundfile.SoundFile(recording) as file:
            meter = Meter(file.samplerate, file.channels)
            for block in file.blocks(_BLOCK, dtype="float32", always_2d=True):
                meter.add(block)
            seconds = meter.result().frames / file.samplerate
    except (OSError, RuntimeError, TypeError, ValueError) as error:
        raise EncodeError(f"cannot read {recording} as sound", hint="give a finished recording") from error
    if not seconds:
        raise EncodeError(f"{recording.name} is empty", hint="give a finished recording")
    return _Heard(*meter.over_time(), seconds)


def _read(record: Mapping[str, Any], recording: Path) -> _Session:
    """Raises EncodeError where the manifest is not as we write it."""
    try:
        events = record.get("events", [])
        roles = {str(name): str(title) for name, title in record.get("roles", {}).items()}
        bars = tuple(
            Bar(str(each["kind"]), float(each["start"]), float(each["seconds"]), str(each.get("role", "")))
            for each in events
        )
        if any(bar.kind not in COLOURS or (bar.role and bar.role not in roles) for bar in bars):
            raise ValueError("unknown kind or role")
        mix = record.get("mix", {})
        beds = tuple(
            (float(each["start"]), float(each["level_db"]) if each["sounds"] else -math.inf)
            for each in mix.get("beds", [])
        )
        return _Session(
            title=str(record["title"]),
            figures=recorded(record),
            roles=roles,
            bars=bars,
            sections=tuple((float(each["start"]), str(each["title"])) for each in record["sections"]),
            beds=beds if any(level > -math.inf for _, level in beds) else (),
            ducking={str(key): float(value) for key, value in mix.get("duck", {}).items()},
            speech=tuple((float(start), float(end)) for start, end in mix.get("speech", [])),
            led=tuple((float(start), float(end)) for start, end in mix.get("led", [])),
            swell=BedSwell(tuple(_breath(each) for each in mix.get("swell", []))),
        )
    except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as error:
        what = f"the manifest beside {recording.name} cannot be read"
        raise EncodeError(what, hint="move it away to draw the loudness alone, or render again") from error


def _draw(name: str, heard: _Heard, session: _Session | None) -> Figure:
    from matplotlib.figure import Figure

    minutes = heard.seconds / 60
    lanes = sorted_lanes(session.bars, session.roles) if session else {}
    titles = place_titles(session.sections, minutes) if session else []
    with_bed = session is not None and bool(session.beds)
    above = HEAD + TITLE * (1 + max((title.row for title in titles), default=0))
    panels = [LANE * len(lanes)] * bool(lanes) + [_LOUDNESS] + [_BED] * with_bed
    high = above + sum(panels) + _BETWEEN * (len(panels) - 1) + FOOT
    figure = Figure(figsize=(WIDE, high), dpi=DOTS)
    figure.text(LEFT / WIDE, 1 - 0.65 * HEAD / high, _head(name, heard, session), fontsize=11, weight="bold")
    axes, top = [], high - above
    for panel in panels:
        axes.append(figure.add_axes((LEFT / WIDE, (top - panel) / high, BODY / WIDE, panel / high)))
        top -= panel + _BETWEEN
    if lanes:
        draw_lanes(axes[0], lanes, minutes)
    draw_titles(axes[0], titles, panels[0])
    _draw_loudness(axes[bool(lanes)], heard, session.figures.target if session else None)
    if session is not None and with_bed:
        _draw_bed(axes[-1], session, heard.seconds)
    for each in axes:
        each.set_xlim(0, minutes)
        each.tick_params(axis="x", labelbottom=each is axes[-1], length=3)
    axes[-1].set_xlabel("minutes")
    return figure


def _head(name: str, heard: _Heard, session: _Session | None) -> str:
    """Title, length, and the figures that are asked for first."""
    length = clock(heard.seconds).partition(".")[0]
    if session is None:
        return f"{name}   {length}"
    found = session.figures
    parts = [session.title, length]
    if found.silence_share is not None:
        parts.append(f"{100 * found.silence_share:.0f} % without speech")
    if found.longest_silence is not None:
        parts.append(f"longest silence {clock(found.longest_silence).partition('.')[0]}")
    if found.speech_to_bed_min is not None:
        parts.append(f"bed at least {found.speech_to_bed_min:.0f} dB below the voice")
    return "   ".join(parts)


def _draw_loudness(axes: Axes, heard: _Heard, target: float | None) -> None:
    """Momentary loudness as a pale area, short-term as a line over it, each value at the middle of its window."""
    for values, window, label in ((heard.momentary, 0.4, "over 0.4 s"), (heard.short_term, 3.0, "over 3 s")):
        at = (np.arange(len(values)) * _STEP + window / 2) / 60
        shown = np.maximum(values, _QUIETEST)
        if window < 1:
            axes.fill_between(at, _QUIETEST, shown, color="#c9d6e2", linewidth=0, label=label)
        else:
            axes.plot(at, shown, color=COLOURS["line"], lw=1.1, label=label)
    if target is not None:
        axes.axhline(target, color="#b0643c", lw=0.9, ls=(0, (5, 3)), label=f"target of the whole, {target:g}")
    axes.set_ylim(_QUIETEST, _LOUDEST)
    axes.set_yticks(range(-70, 0, 10))
    axes.set_ylabel("loudness (LUFS)", fontsize=LETTERS + 1)
    axes.grid(axis="y", color="#eeeae2", lw=0.7)
    axes.set_axisbelow(True)
    axes.legend(loc="lower right", ncols=3, fontsize=LETTERS, frameon=True, framealpha=0.9, edgecolor="none")
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def _draw_bed(axes: Axes, session: _Session, seconds: float) -> None:
    """Gain of the bed against its own level: down under the voice, and as the script changes it."""
    values = _bed_gain(session, seconds)
    at = np.arange(len(values)) / _CURVE_RATE / 60
    axes.axhline(0, color="#d5cab5", lw=0.8)
    axes.plot(at, values, color=COLOURS["bed"], lw=1.1)
    # The fades at both ends run out of the picture; a bed that is off in between is shown as off.
    lowest = values[int(BED_FADE_IN * _CURVE_RATE) : -int(BED_FADE_OUT * _CURVE_RATE) or None].min(initial=0)
    axes.set_ylim(np.floor(lowest / 6) * 6 - 2, max(float(values.max()), 0) + 2)
    axes.set_ylabel("bed (dB)", fontsize=LETTERS + 1)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def _breath(record: Mapping[str, Any]) -> tuple[Samples, Breath]:
    inward, hold, out, rest = (Seconds(float(phase)) for phase in record["phases"])
    breath = Breath((inward, hold, out, rest), int(record["cycles"]), Place("", 1), Seconds(float(record["sip"])))
    return to_samples(float(record["start"])), breath


def _bed_gain(session: _Session, seconds: float) -> NDArray[np.float64]:
    """In dB, ``_CURVE_RATE`` values a second: ducking, times changes of level that take as long as in the mix."""
    frames = max(2, int(seconds * _CURVE_RATE))
    time = np.arange(frames) / _CURVE_RATE
    speech, led = (
        tuple((to_samples(start, _CURVE_RATE), to_samples(end, _CURVE_RATE)) for start, end in stretches)
        for stretches in (session.speech, session.led)
    )
    given: Any = session.ducking
    factors = Ducking(speech=speech, led=led, rate=_CURVE_RATE, **given).gain(0, frames).astype(np.float64)
    if session.swell.breaths:
        factors *= [session.swell.gain(to_samples(at), 1)[0] for at in time.tolist()]
    level, before = np.zeros(frames), 0.0
    for start, decibels in session.beds:
        after = gain(decibels) if decibels > -math.inf else 0.0
        level += (after - before) * smooth((time - start) / (BED_CROSSFADE if before else BED_FADE_IN))
        before = after
    ending = smooth((seconds - time) / BED_FADE_OUT)
    return 20 * np.log10(np.maximum(factors * level * ending, gain(_LOWEST_BED)))
