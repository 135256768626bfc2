"""What tests of voices have them say, and what comes back."""

from __future__ import annotations

from metta_audio.script.model import Span
from metta_audio.speech.voice import Speech, Utterance, Voice

LINE = "May you be well, and may you rest in peace."


def said(voice: Voice, text: str = LINE, *spans: Span, rate: float = 110) -> Speech:
    return voice.speak(Utterance(text, spans), rate)


def sound(speech: Speech) -> bytes:
    """All of it, to the bit."""
    return speech.wave.samples.tobytes()
