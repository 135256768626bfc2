"""What the timeline alone says about a session; and who listens along while it is mixed."""

from __future__ import annotations

from dataclasses import dataclass

from metta_audio.rendering.flow import Plan
from metta_audio.sound.duck import merged
from metta_audio.sound.mix import Score
from metta_audio.sound.monitor import Monitor
from metta_audio.timeline.model import Timeline
from metta_audio.units import Samples, to_seconds


@dataclass(frozen=True, slots=True)
class SessionFigures:
    """How much is said in a session, and how much is left open.

    Shares are from 0 to 1 of the whole length. ``silence_share`` is what is without speech, whatever else sounds.
    ``articulation`` counts words a minute while someone speaks, ``net`` over the whole length; both are 0 where nobody
    speaks. ``longest_silence`` is the longest stretch without speech, in seconds, ``longest_silence_at`` its start.
    """

    lines: int
    words: int
    silence_share: float
    breath_share: float
    articulation: float
    net: float
    longest_silence: float
    longest_silence_at: float


def session_figures(timeline: Timeline) -> SessionFigures:
    """The figures of a timeline; nothing is measured. Numbers that are counted aloud belong to the breath."""
    lines = [event for event in timeline.events if event.kind == "line"]
    words = sum(count_words(line.text) for line in lines)
    speech = merged((line.start, line.end) for line in lines)
    spoken = sum(end - start for start, end in speech)
    breath = sum(event.length for event in timeline.events if event.kind == "breath")
    edges = [Samples(0), *(edge for stretch in speech for edge in stretch), timeline.length]
    silences = [(end - start, start) for start, end in zip(edges[::2], edges[1::2], strict=True)]
    longest, at = max(silences, key=lambda silence: (silence[0], -silence[1]))
    whole = max(timeline.length, 1)
    minute = 60 * timeline.rate
    return SessionFigures(
        lines=len(lines),
        words=words,
        silence_share=round(1 - spoken / whole, 4),
        breath_share=round(breath / whole, 4),
        articulation=round(words * minute / spoken, 1) if spoken else 0.0,
        net=round(words * minute / whole, 1),
        longest_silence=round(to_seconds(longest, timeline.rate), 3),
        longest_silence_at=round(to_seconds(at, timeline.rate), 3),
    )


def count_words(text: str) -> int:
    """Words as a person counts them: what stands between spaces and has a letter or a digit in it."""
    return sum(any(letter.isalnum() for letter in word) for word in text.split())


def monitor(plan: Plan, score: Score) -> Monitor:
    """Who listens along while ``score`` is mixed: knows all that is spoken, the bells of the plan, and every seam."""
    events = plan.timeline.events
    # A bell that is switched off keeps its place, and rings for no time.
    ringing = (event for event in events if event.kind == "bell" and event.ring)
    bells = [(event.start, Samples(event.start + event.ring)) for event in ringing]
    edges = [edge for each in (*score.voice, *score.cues) for edge in (each.start, each.start + each.length)]
    changes = [event.start for event in events if event.kind == "bed"]
    return Monitor(score.ducking.speech, bells, [*edges, *changes])
