"""A voice whose phonemes go through a graph: measured rates, pronunciation, word times."""

from __future__ import annotations

import hashlib
import re
import threading
from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from metta_audio.sound.chain import MILD
from metta_audio.sound.wave import Wave
from metta_audio.speech.activity import PAUSE, articulation, stretches
from metta_audio.speech.calibration import Calibration, calibrate, calibration_text
from metta_audio.speech.voice import Speech, Utterance, unspeakable, usable
from metta_audio.speech.words import word_numbers, word_ranges, words_at
from metta_audio.units import Hertz, WordsPerMinute, to_samples
from metta_audio.voices.neural.matching import word_starts
from metta_audio.voices.neural.reading import LEADING, Part, ipa_symbols, is_sound, parts

NATURAL = MILD
"""The chain of neural voices. They were trained on recorded people, so that nothing is missing in them. Their vocoders
leave a little hiss on s and sh and, some of them, rumble under the voice: a mild de-esser and a high-pass take that."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A wave, and the sample at which each phoneme begins; ``starts`` is empty where the model does not tell."""

    wave: Wave
    starts: tuple[int, ...] = ()


class NeuralVoice(ABC):
    """A voice whose phonemes go through a graph. Nothing is loaded before it speaks."""

    chain = NATURAL
    concurrent = True

    def __init__(self, name: str, language: str, *, ipa: bool) -> None:
        self.name = name
        self.ipa = ipa
        self.languages = (language,) if language else ()
        self._language = language
        self._lock = threading.Lock()
        self._calibration: Calibration | None = None

    @property
    @abstractmethod
    def fingerprint(self) -> str:
        """Everything but text and rate that changes the sound."""

    @abstractmethod
    def _settings(self) -> Sequence[float]:
        """Speeds at which the voice is measured, rising."""

    @abstractmethod
    def _known(self) -> Collection[str]:
        """Phonemes that the model has."""

    @abstractmethod
    def _phonemes(self, text: str) -> list[str]:
        """Phonemes of a text, of which the model may have some."""

    @abstractmethod
    def _sound(self, phonemes: Sequence[str], speed: float) -> Heard:
        """Speak phonemes that the model has. Durations are about ``1 / speed`` of the usual."""

    def speak(self, utterance: Utterance, rate: WordsPerMinute) -> Speech:
        """Speak, with word times where the model tells them.

        Raises VoiceError for a rate out of reach, IPA it has no sounds for, text it has none for, and a broken model.
        """
        speed = self._speed(rate)
        said = [(part, self._said(part)) for part in parts(utterance)]
        phonemes, owners = _joined(said)
        heard = self._heard(phonemes, speed)
        if not heard.starts:
            return Speech(heard.wave)
        known: dict[int, int] = {}
        number_at = word_numbers(utterance.text)
        for (part, _), (first, last) in zip(said, owners, strict=True):
            for offset, place in word_starts(part.text, phonemes[first:last]):
                number = number_at.get(part.origin[offset])
                if number is not None:
                    known.setdefault(number, heard.starts[first + place])
        return Speech(heard.wave, words_at(utterance.text, known, stretches(heard.wave)[-1][1]))

    def _said(self, part: Part) -> list[str]:
        known = self._known()
        if part.ipa:
            return ipa_symbols(part.text, known)
        # A comma after a word in IPA: phonemisers drop what stands before the first word.
        lead = LEADING.match(part.text)
        first = lead.group().strip() if lead else ""
        rest = part.text[lead.end() :] if lead else part.text
        spaced = [*first, " "] if first and rest[:1].isspace() else [*first]
        return [symbol for symbol in [*spaced, *self._phonemes(rest)] if symbol in known]

    def _heard(self, phonemes: Sequence[str], speed: float) -> Heard:
        """Let the model sound. Raises VoiceError where nothing is heard; the text may be a name, so it is not told."""
        heard = self._sound(phonemes, speed) if any(map(is_sound, phonemes)) else None
        if heard is None or not stretches(usable(self.name, heard.wave)):
            raise unspeakable(self.name)
        return heard

    def _measure(self) -> str:
        """What rates stand on, for the fingerprint."""
        return hashlib.sha256(calibration_text(self._language).encode()).hexdigest()

    def _speed(self, rate: WordsPerMinute) -> float:
        """The speed that makes ``rate``. Raises VoiceError with the range that can be spoken."""
        with self._lock:
            if self._calibration is None:
                self._calibration = self._calibrate()
        return self._calibration.setting(rate)

    def _calibrate(self) -> Calibration:
        """Measure the whole text at the fastest setting, and two sentences of it at all: a graph takes real time.

        Words of those two may be longer or shorter than words are; at the fastest setting it shows by how much.
        """
        text = calibration_text(self._language)
        sentences = re.split(r"(?<=\.) ", text)
        sample = slice(1, 3) if len(sentences) > 2 else slice(None)
        said = [self._said(Part(sentence, ())) for sentence in sentences]

        def say(speed: float) -> Wave:
            return _apart([self._heard(phonemes, speed).wave for phonemes in said[sample]])

        measured = calibrate(say, " ".join(sentences[sample]), self._settings())
        fastest = _apart([self._heard(phonemes, self._settings()[-1]).wave for phonemes in said])
        share = len(word_ranges(text)) * 60 / articulation(fastest) / measured.rates[-1]
        return replace(measured, rates=tuple(WordsPerMinute(rate * share) for rate in measured.rates))


def _apart(waves: Sequence[Wave]) -> Wave:
    """One after the other, each a stretch of its own: as lines are spoken, sentence by sentence."""
    gap = np.zeros((to_samples(2 * PAUSE, waves[0].rate), 1), np.float32)
    return Wave(np.concatenate([each for wave in waves for each in (wave.samples, gap)]), waves[0].rate)


def _joined(said: Sequence[tuple[Part, list[str]]]) -> tuple[list[str], list[tuple[int, int]]]:
    """All phonemes in a row, with a space where the parts have one, and where those of each part lie."""
    row: list[str] = []
    owners = []
    gap = False
    for part, phonemes in said:
        gap = gap or part.text[:1].isspace()
        # Piper's own phonemes have a space after a comma.
        if gap and phonemes and row and row[-1] != " " and LEADING.match(part.text) is None:
            row.append(" ")
        owners.append((len(row), len(row) + len(phonemes)))
        row += phonemes
        gap = part.text[-1:].isspace() or (gap and not phonemes)
    return row, owners


def mono(samples: Any, rate: int) -> Wave:
    """A model's sound, mono at ``rate`` Hz."""
    return Wave.mono(np.asarray(samples, dtype=np.float32).reshape(-1), Hertz(rate))
