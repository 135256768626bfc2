"""A picture of a sound by which a person can choose: what it is made of, and how it goes."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d
from scipy.signal import welch

from metta_audio.errors import SettingsError
from metta_audio.rendering.figure import write_figure
from metta_audio.sound.bed import Bed
from metta_audio.sound.wave import Block, Wave
from metta_audio.units import RATE, clock, to_samples

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_COLOUR, _GRID = "#35597a", "#d5cab5"
"""Those of speech and of silence in the picture of a session."""

_HEARD = (20.0, 20_000.0)
"""Hz that are drawn: what an ear can hear."""

_SLOPE = (50.0, 10_000.0)
"""Hz over which the slope is taken: where white, pink and brown noise are told apart."""

_OCTAVE = 1 / 6
"""Octaves over which the spectrum is smoothed: finer than the ear's critical bands, coarser than chance."""

_SEGMENT = 1 << 14
"""Frames of a Welch segment: 2.7 Hz between lines, so that even a sixth of an octave at 20 Hz has one."""

_MOMENT = 0.05
"""Seconds of RMS to a point of the envelope: shorter than a drop, longer than a deep wave."""

_FLOOR = 60.0
"""dB below the loudest moment at which a sound that dies away is over; the spectrum shows no more, either."""

_LONGEST = 3600.0
"""Seconds. A picture of an hour has one dot for four seconds; more would only take longer."""

_WIDE, _HIGH = 10.0, 6.4
"""Inches. At 110 dots an inch it fits a laptop's screen with its window."""

_TICKS = (20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000)


def plot_sound(source: Bed | Wave, *, title: str, path: Path, seconds: float = 60) -> Path:
    """Draw spectrum and envelope of the first ``seconds`` of a bed, or of a whole sound, into a PNG or SVG file.

    A whole sound, such as a bell, is drawn until it has died away. The same sound gives the same bytes. Needs the
    extra ``plot`` (matplotlib). Raises SettingsError for another suffix, for a length out of range and where matplotlib
    is missing, EncodeError where nothing can be written.
    """
    if not 1 <= seconds <= _LONGEST:  # also what is no number
        raise SettingsError(f"cannot plot {seconds:g} seconds", hint=f"choose 1 to {_LONGEST:g}")
    return write_figure(lambda: _draw(source, title, seconds), path)


def spectrum(wave: Wave) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Hertz from 20 to 20,000 in sixths of an octave, and the density there in dB (full scale squared a hertz).

    Welch's method; the power of all channels, averaged.
    """
    frames = min(_SEGMENT, wave.frames)
    lines, density = welch(wave.samples.astype(np.float64), wave.rate, nperseg=frames, axis=0)
    power = density.mean(axis=1)
    low, high = _HEARD
    centres = low * 2 ** np.arange(0, math.log2(high / low) + 1e-9, _OCTAVE / 2)
    centres = centres[centres < wave.rate / 2]
    edge = 2 ** (_OCTAVE / 2)
    smoothed = [_between(lines, power, centre / edge, centre * edge) for centre in centres]
    return centres, np.asarray(10 * np.log10(np.maximum(smoothed, 1e-20)))


def slope(hertz: NDArray[np.float64], level: NDArray[np.float64]) -> float:
    """Fall or rise in dB per octave, 50 Hz to 10 kHz: the straight line nearest to all parts of an octave alike."""
    low, high = _SLOPE
    inside = (hertz >= low) & (hertz <= high)
    return float(np.polyfit(np.log2(hertz[inside]), level[inside], 1)[0])


def envelope(wave: Wave) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Seconds in steps of 50 ms (the middle of each), and the RMS there in dBFS, of all channels together."""
    size = max(1, round(_MOMENT * wave.rate))
    moments = max(1, wave.frames // size)
    cut = wave.samples[: moments * size].astype(np.float64)
    power = np.square(cut).reshape(moments, -1).mean(axis=1)
    return (np.arange(moments) + 0.5) * size / wave.rate, np.asarray(10 * np.log10(np.maximum(power, 1e-20)))


def _between(lines: NDArray[np.float64], power: NDArray[np.float64], low: float, high: float) -> float:
    """Mean density of the lines between two frequencies; between lines, the line that joins them."""
    inside = (lines >= low) & (lines <= high)
    if inside.any():
        return float(power[inside].mean())
    return float(np.interp(math.sqrt(low * high), lines, power))


def _draw(source: Bed | Wave, title: str, seconds: float) -> Figure:
    from matplotlib.figure import Figure

    wave = source if isinstance(source, Wave) else Wave(_heard(source, to_samples(seconds)))
    if not wave.frames or not wave.samples.any():
        raise SettingsError(f'"{title}" is silent: there is nothing to plot', hint="choose another sound")
    figure = Figure(figsize=(_WIDE, _HIGH), dpi=110)
    upper, lower = figure.subplots(2, 1)
    figure.subplots_adjust(left=0.08, right=0.97, top=0.90, bottom=0.085, hspace=0.38)
    figure.text(0.08, 0.955, title, fontsize=12, weight="bold")
    _draw_spectrum(upper, wave, steady=not isinstance(source, Wave))
    _draw_envelope(lower, wave, dies=isinstance(source, Wave))
    for axes in (upper, lower):
        axes.grid(color=_GRID, lw=0.6)
        axes.set_axisbelow(True)
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
    return figure


def _heard(bed: Bed, frames: int) -> Block:
    block = np.empty((frames, 2), np.float32)
    for start in range(0, frames, RATE):
        count = min(RATE, frames - start)
        block[start : start + count] = bed.read(start, count)
    return block


def _draw_spectrum(axes: Axes, wave: Wave, *, steady: bool) -> None:
    hertz, level = spectrum(wave)
    words = _slope_words(slope(hertz, level)) if steady else f"spectrum: strongest at {_strongest(wave):,.0f} Hz"
    axes.semilogx(hertz, level, color=_COLOUR, lw=1.4)
    axes.fill_between(hertz, level, level.max() - _FLOOR - 20, color=_COLOUR, alpha=0.12, lw=0)
    axes.set_xlim(*_HEARD)
    axes.set_ylim(level.max() - _FLOOR, level.max() + 5)
    axes.set_xticks(_TICKS, [f"{tick // 1000} k" if tick >= 1000 else str(tick) for tick in _TICKS])
    axes.minorticks_off()
    axes.set_xlabel("Hz")
    axes.set_ylabel("dB")
    axes.set_title(words, **_TITLE)


def _draw_envelope(axes: Axes, wave: Wave, *, dies: bool) -> None:
    seconds, level = envelope(wave)
    top = float(level.max())
    over = seconds[np.flatnonzero(level > top - _FLOOR)[-1]] + _MOMENT / 2
    axes.plot(seconds, level, color=_COLOUR, lw=1.0 if dies else 0.8, alpha=1.0 if dies else 0.45)
    axes.set_xlim(0, min(wave.seconds, over * 1.05) if dies else wave.seconds)
    axes.set_xlabel("seconds")
    axes.set_ylabel("dBFS, RMS of 50 ms")
    if dies:
        axes.set_ylim(top - _FLOOR, top + 5)
        axes.set_title(_decay_words(seconds, level, over), **_TITLE)
        return
    slow = _slowly(level)
    axes.plot(seconds, slow, color=_COLOUR, lw=2.0)
    soft, loud = (float(np.percentile(slow, share)) for share in (5, 95))
    # Twenty decibels at least: a steady sound is to look steady.
    reach = max(20.0, 1.5 * (loud - soft))
    axes.set_ylim((loud + soft) / 2 - reach / 2, max(top + 1, (loud + soft) / 2 + reach / 2))
    axes.set_title(_swell_words(loud - soft, wave), **_TITLE)


_TITLE: Any = {"loc": "left", "fontsize": 9.5}


def _slope_words(found: float) -> str:
    """A slope, and which noise it is like."""
    noises = ((1.5, "brighter than white noise"), (-1.5, "bright, as white noise"), (-4.5, "even, as pink noise"),
              (-7.5, "dark, as brown noise"))  # fmt: skip
    word = next((name for bound, name in noises if found > bound), "darker than brown noise")
    return f"spectrum: {found:+.1f} dB per octave from 50 Hz to 10 kHz ({word})".replace("-", "−")


def _strongest(wave: Wave) -> float:
    """The frequency with most power in it, in Hz, over the whole sound."""
    lines = np.square(np.abs(np.fft.rfft(wave.samples, axis=0))).sum(axis=1)
    return float(lines.argmax() * wave.rate / wave.frames)


def _swell_words(swell: float, wave: Wave) -> str:
    """How much the level moves, over the length that is drawn."""
    words = ((2.0, "steady"), (6.0, "it breathes gently"), (12.0, "it swells"))
    word = next((name for bound, name in words if swell < bound), "it comes and goes")
    length = clock(wave.seconds).partition(".")[0]
    return f"envelope: nine tenths of {length} lie within {swell:.0f} dB ({word})"


def _slowly(level: NDArray[np.float64]) -> NDArray[np.float64]:
    """The same over a second around each moment: a swell, without the grain of the sound."""
    power = uniform_filter1d(10 ** (level / 10), round(1 / _MOMENT), mode="nearest")
    return np.asarray(10 * np.log10(np.maximum(power, 1e-20)))


def _decay_words(seconds: NDArray[np.float64], level: NDArray[np.float64], over: float) -> str:
    """When it has fallen by 12 dB, after which someone may speak, and when it is over."""
    loud = np.flatnonzero(level > level.max() - 12.0)
    fallen = seconds[loud[-1]] + _MOMENT / 2
    return f"envelope: 12 dB softer after {fallen:.1f} s, {_FLOOR:.0f} dB after {over:.1f} s"
