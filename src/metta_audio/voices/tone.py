"""A voice of tones, one for each word at an exactly known time: what every claim about timing is tested with."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from metta_audio.errors import VoiceError
from metta_audio.sound.chain import PLAIN
from metta_audio.sound.wave import Wave
from metta_audio.speech.voice import Setup, Speech, Utterance, VoiceInfo, Word
from metta_audio.speech.words import speaking_time, word_ranges
from metta_audio.units import RATE, Hertz, Samples, Seconds, WordsPerMinute, to_samples

EDGE = Seconds(0.3)
"""Silence before the first and after the last tone, as engines leave it: so that trimming has something to do."""

_SOUNDING = 0.6
"""Share of a word's time that its tone lasts at least: the gap stays plain at every rate."""

_LONGEST_GAP = Seconds(0.24)
"""Between two tones: a longer one would be a pause."""

_ATTACK = Seconds(0.005)
"""Rise and fall: sharp enough to find the onset to a millisecond, smooth enough not to click."""

_AMPLITUDE = 0.25

_PITCHES = (220, 330, 165, 440, 275, 550)
"""Hz, for roles: no two within a fourth of their nearest, none a multiple of the first but its octave."""

_LOWEST, _HIGHEST = 60, 2000
"""Hz: above the high-pass of clip hygiene, and where a phone's speaker still plays it."""


class ToneVoice:
    """Soft tone bursts at ``pitch`` Hz, the first after ``EDGE``, then one each ``60 / rate`` seconds."""

    chain = PLAIN

    def __init__(self, pitch: Hertz) -> None:
        self.name = f"tone:{pitch}"
        self.fingerprint = f"tone 2 {pitch}"
        self._pitch = pitch

    def speak(self, utterance: Utterance, rate: WordsPerMinute) -> Speech:
        """Give one burst for each word, with its exact onset."""
        ranges = word_ranges(utterance.text) or ((0, len(utterance.text)),)
        onsets = [Samples(to_samples(EDGE) + to_samples(speaking_time(number, rate))) for number in range(len(ranges))]
        each = speaking_time(1, rate)
        burst = self._burst(to_samples(max(_SOUNDING * each, each - _LONGEST_GAP)))
        samples = np.zeros(onsets[-1] + len(burst) + to_samples(EDGE))
        for onset in onsets:
            samples[onset : onset + len(burst)] += burst
        words = tuple(Word(*where, onset) for where, onset in zip(ranges, onsets, strict=True))
        return Speech(Wave.mono(samples), words)

    def _burst(self, length: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        time = np.arange(length) / RATE
        edge = np.minimum(time, time[::-1]) / _ATTACK
        envelope = np.sin(0.5 * math.pi * np.clip(edge, 0, 1)) ** 2
        return _AMPLITUDE * envelope * np.sin(2 * math.pi * self._pitch * time)


class ToneEngine:
    """A voice for every pitch: ``tone``, ``tone:220``."""

    name = "tone"

    def __init__(self, setup: Setup) -> None:
        del setup  # nothing to set up

    def problem(self) -> str:
        """Run everywhere."""
        return ""

    def voices(self) -> Sequence[VoiceInfo]:
        """The pitches that roles are cast from, in any language; any other in Hz will do."""
        return [VoiceInfo(f"tone:{pitch}", (), "test", summary="a tone for each word") for pitch in _PITCHES]

    def cast(self, variant: str, language: str, roles: int) -> Sequence[str]:
        """Give each role a pitch of its own."""
        lead = self.open(variant, language).name.partition(":")[2]
        others = [str(pitch) for pitch in _PITCHES if str(pitch) != lead]
        chosen = [lead, *others]
        return [chosen[role % len(chosen)] for role in range(roles)]

    def open(self, variant: str, language: str) -> ToneVoice:
        """Open the voice at ``variant`` Hz, in any language."""
        del language
        if not variant:
            return ToneVoice(Hertz(_PITCHES[0]))
        if not variant.isascii() or not variant.isdigit() or not _LOWEST <= int(variant) <= _HIGHEST:
            what = f'the tone voice has no pitch "{variant}"'
            raise VoiceError(what, hint=f'give whole Hz from {_LOWEST} to {_HIGHEST}, for example "tone:220"')
        return ToneVoice(Hertz(int(variant)))
