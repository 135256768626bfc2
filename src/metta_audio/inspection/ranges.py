"""Between which values a figure should lie, why, and what to change where it does not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from metta_audio.inspection.measure import Inspection
from metta_audio.inspection.record import FAR_ENOUGH, Recorded
from metta_audio.sound.levels import TARGETS


@dataclass(frozen=True, slots=True)
class Range:
    """A figure should lie from ``low`` to ``high``, both included, None where there is no bound.

    ``figure`` is what it is called in an Inspection or a Recorded, ``label`` what people read. ``source`` says where
    the bounds come from, ``change`` what to do outside of them. ``factor`` turns the figure into ``unit``.
    """

    figure: str
    label: str
    low: float | None
    high: float | None
    unit: str
    source: str
    change: str
    factor: float = 1.0

    def __str__(self) -> str:
        """The bounds in words, with the unit."""
        unit = f" {self.unit}" if self.unit else ""
        if self.low is None or self.high is None:
            return f"at most {self.high:g}{unit}" if self.low is None else f"at least {self.low:g}{unit}"
        return f"{self.low:g}{unit}" if self.low == self.high else f"{self.low:g} to {self.high:g}{unit}"


@dataclass(frozen=True, slots=True)
class Breach:
    """A figure outside its range. ``value`` is in the range's unit, None where there is nothing to hear."""

    value: float | None
    range: Range

    @property
    def figure(self) -> str:
        """Which one."""
        return self.range.figure

    def __str__(self) -> str:
        """One line: which figure, its value, its range, what to change."""
        value = "silence" if self.value is None else f"{self.value:.2f}".rstrip("0").rstrip(".")
        unit = f" {self.range.unit}" if self.range.unit and self.value is not None else ""
        return f"{self.range.label} is {value}{unit}, should be {self.range}; {self.range.change}"

    def to_json(self) -> dict[str, object]:
        """As JSON."""
        names = ("figure", "label", "low", "high", "unit", "change")
        return {"value": self.value} | {name: getattr(self.range, name) for name in names}


TOLERANCE = 0.3
"""LU around the target: what is promised for every practice, bed and format; less than the 0.5 LU at which programmes
side by side begin to differ to the ear."""

RANGES = (
    Range("lufs", "loudness", None, None, "LUFS",
          "what it was made for; else the nearest of apple -16, aes -18, sleep -20, ebu -23",
          "render again with the --loudness you want, and a lower --bed-level where little is spoken"),
    Range("true_peak", "true peak", None, -1.0, "dBTP", "Apple Podcasts, AES TD1008, EBU R 128",
          "render again: what was mastered elsewhere needs a lower ceiling"),
    Range("clicks", "number of clicks", 0, 0, "", "no click, step or torn edge is ever meant",
          "listen at the places named; look at the recordings and sounds that are heard there"),
    Range("dropouts", "number of dropouts", 0, 0, "", "sound never stops from one sample to the next",
          "look for a damaged recording among those that are heard there"),
    Range("clipped", "clipping", 0, 0, "samples", "what is flat at full scale is distorted",
          "record or master it softer: clipping cannot be undone"),
    Range("speech_to_bed_min", "speech to bed", FAR_ENOUGH, None, "dB",
          "WCAG 2.2, criterion 1.4.7, technique G56, for every spoken line",
          "lower --bed-level, choose an evener --bed, or render with --twin"),
    Range("silence_share", "silence share", 20, 95, "%",
          "published guided audio has 28 to 61; a breath practice or an hour's sitting more",
          "choose another --minutes: a longer one gives more silence", 100),
    Range("articulation", "articulation", 90, 160, "words a minute",
          "published guided audio has 101 to 144, single short practices a tenth less or more",
          "choose another --rate: 110 is calm"),
    Range("net", "net words", None, 90, "words a minute", "published guided audio has 41 to 78; long sittings far less",
          "choose a longer --minutes"),
    Range("longest_silence", "longest silence", None, 600, "s",
          "after ten minutes without a word nobody knows whether it still plays",
          "choose a shorter --minutes, or break the silence in the script by a line"),
    Range("bell_to_voice", "bell to voice", -20, 0, "LU",
          "a bell must not startle closed eyes, and must be heard", "choose another --bell"),
    Range("noise_floor", "noise floor", None, -60, "dBFS", "what publishers of audiobooks accept",
          "choose another --voice, or one recorded in a quieter room"),
    Range("bed_peak", "bed peak", None, -6, "dBFS",
          "a bed's own limit, -12, and 6 dB by which it may rise in silences and with the breath",
          "lower --bed-level, or choose an evener --bed"),
    Range("mix_clicks", "number of clicks before encoding", 0, 0, "",
          "an encoder can hide here what is heard elsewhere",
          "look at the beds, bells and sounds that were used"),
    Range("mix_dropouts", "number of dropouts before encoding", 0, 0, "", "as dropouts",
          "look at the recordings and sounds that were used"),
    Range("worst_seam", "worst seam", None, 6, "dB", "a step twice as large as all around it begins to be heard",
          "look at what begins or ends there: most likely a sound without a fade"),
)  # fmt: skip
"""All figures that have a range. ``docs/report.md`` says how each is measured."""

_LOUDNESS = RANGES[0]


def judge(inspection: Inspection) -> tuple[Breach, ...]:
    """The figures outside their ranges, in the order of ``RANGES``. Figures that are not known are not judged."""
    return tuple(_breaches(inspection))


def _breaches(inspection: Inspection) -> Iterator[Breach]:
    session = inspection.session or Recorded()
    loudness = _around_target(inspection)
    if inspection.lufs is None:
        yield Breach(None, loudness)
    for each in (loudness, *RANGES[1:]):
        value = getattr(inspection if hasattr(inspection, each.figure) else session, each.figure)
        if value is None or _EXCUSED.get(each.figure, _never)(session):
            continue
        shown = round(value * each.factor, 2)
        if (each.low is not None and shown < each.low) or (each.high is not None and shown > each.high):
            yield Breach(shown, each)


def _around_target(inspection: Inspection) -> Range:
    """The range of loudness around the target of the record.

    Without a record, around the nearest target that has a name: any of them is right.
    """
    target = inspection.session.target if inspection.session is not None else None
    if target is None:
        heard = TARGETS["apple"] if inspection.lufs is None else inspection.lufs
        target = min(TARGETS.values(), key=lambda named: abs(named - heard))
    return replace(_LOUDNESS, low=round(target - TOLERANCE, 2), high=round(target + TOLERANCE, 2))


def _never(_: Recorded) -> bool:
    return False


_EXCUSED: dict[str, Callable[[Recorded], bool]] = {
    # The twin is how a listener turns the background off.
    "speech_to_bed_min": lambda session: session.wcag == "twin",
    # Where nobody speaks there is nothing to compare.
    "silence_share": lambda session: not session.articulation,
    "articulation": lambda session: not session.articulation,
    "longest_silence": lambda session: not session.articulation,
}
