"""eSpeak NG as an engine of voices."""

from __future__ import annotations

import functools
import hashlib
import itertools
import math
import threading
from collections.abc import Sequence

from metta_audio.errors import VoiceError
from metta_audio.sound.chain import Chain
from metta_audio.sound.wave import Wave
from metta_audio.speech.activity import stretches
from metta_audio.speech.calibration import Calibration, calibrate, calibration_text
from metta_audio.speech.voice import Setup, Speech, Utterance, VoiceInfo
from metta_audio.speech.words import word_ranges, words_at
from metta_audio.units import Decibels, Hertz, Samples, WordsPerMinute
from metta_audio.voices.espeak.catalog import Catalog, read_catalog
from metta_audio.voices.espeak.library import Heard, library
from metta_audio.voices.espeak.markup import markup

_VERSION = 2
"""Counts changes of this package that change what is heard."""

_SETTINGS = (84, 105, 130, 170, 240)
"""The engine's own rates at which a voice is measured, close enough to join by straight lines. Below 84 it gets no
slower; above 240 nobody follows with closed eyes."""

_CALM = ("", "f2", "m1", "f1", "Alex", "f3")
"""Variants to cast from, the default first: adult, without whisper or robot effects, and of those that were compared
the five best understood, 0.40 to 0.56 (docs/built-in-voice.md). The plain voice, made gentler (``catalog._GENTLE``), is
the default: the least hard of those that are understood as well."""

_LICENCE = "GPL-3.0-or-later"
_SUMMARY = "built in; other speakers of each language as +NAME, such as +f3"

_CHAIN = Chain(high_pass=Hertz(50), de_ess=Decibels(2.0), warmth=Decibels(1.5))
"""Formant synthesis is thin in the chest and hard from 3 to 8 kHz. Without a chain the hiss lies 2 dB higher, and no
more is understood; over a text no octave changes by more than 3 dB. Below 50 Hz not even its deepest voice has
anything."""


class EspeakVoice:
    """One language of eSpeak NG in one variant."""

    chain = _CHAIN

    def __init__(self, language: str, variant: str, file: bytes) -> None:
        self.name = f"espeak:{language}+{variant}" if variant else f"espeak:{language}"
        self.ipa = language.partition("-")[0] == "en"
        self.languages = (language,)
        self._language = language
        self.file = file
        self._text = calibration_text(language)
        self._lock = threading.Lock()
        self._calibration: Calibration | None = None

    @property
    def fingerprint(self) -> str:
        """Everything but text and rate that changes the sound."""
        parts = (self.file, self._text.encode(), repr(_SETTINGS).encode())
        digest = hashlib.sha256(b"\0".join(parts)).hexdigest()
        return f"espeak {library().version} {_VERSION} {self._language} {digest}"

    def speak(self, utterance: Utterance, rate: WordsPerMinute) -> Speech:
        """Speak with word times. Raises VoiceError for a rate out of reach and for text it has no sounds for."""
        marked = markup(utterance, english=self.ipa)
        setting = round(self._calibrated().setting(rate))
        heard = library().speak(self.file, marked.ssml, setting, phonemes=marked.phonemes)
        found = stretches(heard.wave)
        if not found:
            raise VoiceError(
                f"{self.name} has no sounds for this sentence",  # which may be a listener's: not repeated
                hint="write it in the voice's own language and letters, or choose another voice",
            )
        known = _known_onsets(utterance.text, marked.origin, heard)
        return Speech(heard.wave, words_at(utterance.text, known, found[-1][1]))

    def _calibrated(self) -> Calibration:
        with self._lock:
            if self._calibration is None:
                self._calibration = calibrate(self._say, self._text, _SETTINGS)
            return self._calibration

    def _say(self, setting: float) -> Wave:
        plain = markup(Utterance(self._text), english=True)
        return library().speak(self.file, plain.ssml, round(setting), phonemes=False).wave


class EspeakEngine:
    """All voices of eSpeak NG: ``espeak``, ``espeak:en-gb``, ``espeak:en-us+f3``, ``espeak:+f3``."""

    name = "espeak"

    def __init__(self, setup: Setup) -> None:
        del setup  # nothing to set up

    def problem(self) -> str:
        """Say why it cannot run here; empty when it can."""
        try:
            library()
        except VoiceError as error:
            return str(error)
        return ""

    def voices(self) -> Sequence[VoiceInfo]:
        """One for each language; the default first, of which any other variant can be had, too."""
        if self.problem():
            return []
        catalog = _catalog()
        return [
            VoiceInfo(f"espeak:{language}", (language,), "formant", _LICENCE, summary=_SUMMARY)
            for language in catalog.languages
        ]

    def cast(self, variant: str, language: str, roles: int) -> Sequence[str]:
        """Choose voices of one language by pitch, each as far as can be from those before it."""
        catalog = _catalog()
        spoken, lead = self._resolve(variant, language)
        chosen = [lead]
        pool = [name for name in _CALM if name != lead and (not name or name in catalog.variants)]
        while pool and len(chosen) < roles:
            taken = [math.log(catalog.pitch(name)) for name in chosen]
            distances = [min(abs(math.log(catalog.pitch(name)) - pitch) for pitch in taken) for name in pool]
            chosen.append(pool.pop(distances.index(max(distances))))
        # More roles than calm voices: they share.
        names = list(itertools.islice(itertools.cycle(chosen), roles))
        return [f"{spoken}+{name}" if name else spoken for name in names]

    def open(self, variant: str, language: str) -> EspeakVoice:
        """Open ``language``, or the language that ``variant`` names, in its variant."""
        spoken, name = self._resolve(variant, language)
        return EspeakVoice(spoken, name, _catalog().voice_file(spoken, name))

    def _resolve(self, variant: str, language: str) -> tuple[str, str]:
        spoken, _, name = variant.partition("+")
        catalog = _catalog()
        return catalog.language(spoken or language), catalog.variant(name) if name else _CALM[0]


@functools.cache
def _catalog() -> Catalog:
    return read_catalog(library().data)


def _known_onsets(text: str, origin: list[int], heard: Heard) -> dict[int, Samples]:
    """Onset of each word, by its number: the first event inside it."""
    number_at = {at: number for number, (start, end) in enumerate(word_ranges(text)) for at in range(start, end)}
    known: dict[int, Samples] = {}
    for position, sample in heard.events:
        number = number_at.get(origin[position]) if 0 <= position < len(origin) else None
        if number is not None:
            known[number] = min(known.get(number, Samples(sample)), Samples(sample))
    return known
