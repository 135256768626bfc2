"""A voice that takes its time and says nothing: for plans and tests, at once and everywhere."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from metta_audio.errors import VoiceError
from metta_audio.sound.chain import PLAIN
from metta_audio.sound.wave import Wave
from metta_audio.speech.voice import Setup, Speech, Utterance, VoiceInfo, Word
from metta_audio.speech.words import speaking_time, word_ranges
from metta_audio.units import Samples, WordsPerMinute, to_samples


class SilentVoice:
    """Digital silence, exactly as long as its words take."""

    name = "silent"
    fingerprint = "silent 1"
    chain = PLAIN

    def speak(self, utterance: Utterance, rate: WordsPerMinute) -> Speech:
        """Give one silence of ``words * 60 / rate`` seconds, each word an equal part of it."""
        ranges = word_ranges(utterance.text)
        length = to_samples(speaking_time(max(1, len(ranges)), rate))
        words = (Word(*where, _onset(number, rate)) for number, where in enumerate(ranges))
        return Speech(Wave.mono(np.zeros(length)), tuple(words))


def _onset(number: int, rate: WordsPerMinute) -> Samples:
    return to_samples(speaking_time(number, rate))


class SilentEngine:
    """Has one voice."""

    name = "silent"

    def __init__(self, setup: Setup) -> None:
        del setup  # nothing to set up

    def problem(self) -> str:
        """Run everywhere."""
        return ""

    def voices(self) -> Sequence[VoiceInfo]:
        """Itself, in any language."""
        return [VoiceInfo("silent", (), "test", summary="says nothing, for as long as its words take")]

    def cast(self, variant: str, language: str, roles: int) -> Sequence[str]:
        """Give every role the same silence."""
        self.open(variant, language)
        return [""] * roles

    def open(self, variant: str, language: str) -> SilentVoice:
        """Open it in any language."""
        if variant:
            raise VoiceError(f'the silent voice has no variant "{variant}"', hint='write "silent"')
        del language
        return SilentVoice()
