"""The lines of a sheet by the built-in voice: what a person's recording is compared with."""

from __future__ import annotations

from collections.abc import Sequence

from metta_audio.errors import VoiceError
from metta_audio.script.model import ARTICULATION
from metta_audio.settings import read_settings
from metta_audio.sound.wave import Wave
from metta_audio.speech.activity import stretches
from metta_audio.speech.utter import utter
from metta_audio.speech.voice import Utterance, Voice
from metta_audio.takes.lines import SheetLine
from metta_audio.voices.registry import find_engines, open_voice

_VOICE = "espeak"
"""It speaks over a hundred languages, needs no file of its own, and says an hour in twenty seconds."""


def said_plainly(lines: Sequence[SheetLine], language: str) -> list[Wave] | None:
    """Each of ``lines``, without silence at its ends; None where the built-in voice does not speak ``language``.

    Raises VoiceError for a line without a word that it knows.
    """
    try:
        voice = open_voice(find_engines(read_settings().setup()), _VOICE, language)
    except VoiceError:
        return None
    return [_said(voice, line, language) for line in lines]


def _said(voice: Voice, line: SheetLine, language: str) -> Wave:
    try:
        wave = utter(voice, Utterance(line.text, line.spans), ARTICULATION, language).wave
    except VoiceError:
        # A pronunciation for another voice: as it is written, it is like enough.
        wave = utter(voice, Utterance(line.text), ARTICULATION, language).wave
    found = stretches(wave)
    return Wave(wave.samples[found[0][0] : found[-1][1]], wave.rate) if found else wave
