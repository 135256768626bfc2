"""A voice's real rate: what an engine calls a rate, against the words a minute that are measured."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from metta_audio.errors import VoiceError
from metta_audio.sound.wave import Wave
from metta_audio.speech.activity import articulation
from metta_audio.speech.calibration_text import calibration_text
from metta_audio.speech.words import word_ranges
from metta_audio.units import WordsPerMinute

__all__ = ["Calibration", "calibrate", "calibration_text"]

_NEAR_ENOUGH = 0.05
"""Share by which an end of the range may be missed: a difference in tempo that listeners hardly notice. It lets the
default of 110 be spoken by engines whose slowest is 112."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """Settings of an engine, rising, and the rate that was measured at each."""

    settings: tuple[float, ...]
    rates: tuple[WordsPerMinute, ...]

    def setting(self, rate: WordsPerMinute) -> float:
        """Return the setting that speaks at ``rate``, or as near as it gets within 5 %.

        Raises VoiceError with the range that can be spoken.
        """
        low, high = self.rates[0], self.rates[-1]
        if not low * (1 - _NEAR_ENOUGH) <= rate <= high * (1 + _NEAR_ENOUGH):
            raise VoiceError(
                f"this voice cannot speak {rate:g} words a minute",
                hint=f"choose a rate from {np.ceil(low):.0f} to {np.floor(high):.0f}",
            )
        return float(np.interp(rate, self.rates, self.settings))


def calibrate(say: Callable[[float], Wave], text: str, settings: Sequence[float]) -> Calibration:
    """Measure articulation while ``say`` speaks ``text`` at each of ``settings``."""
    words = len(word_ranges(text))
    seconds = [articulation(say(setting)) for setting in settings]
    if not all(seconds):
        raise VoiceError("this voice makes no sound", hint="choose another voice or language")
    # A rate that did not rise would make the way back ambiguous.
    rates = np.maximum.accumulate([words * 60 / taken for taken in seconds])
    return Calibration(tuple(settings), tuple(WordsPerMinute(float(rate)) for rate in rates))
