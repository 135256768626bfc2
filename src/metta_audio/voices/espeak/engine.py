"""eSpeak NG as an engine of voices."""

from __future__ import annotations

import functools
import hashlib
import itertools
import math
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from metta_audio.errors import VoiceError
from metta_audio.sound.chain import Chain
from metta_audio.speech.calibration_text import calibration_text
from metta_audio.speech.voice import Setup, Speech, Utterance, VoiceInfo, speaks, unspeakable
from metta_audio.units import Decibels, Hertz, WordsPerMinute
from metta_audio.voices.espeak.catalog import Catalog, build, installed, read_catalog

if TYPE_CHECKING:
    # Whatever speaks waits until something is spoken: a session whose clips are all kept does without.
    from metta_audio.speech.calibration import Calibration
    from metta_audio.voices.espeak.library import Library

_VERSION = 2
"""Counts changes of this package that change what is heard."""

_SETTINGS = (84, 105, 130, 170, 200, 240)
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
    """One language of eSpeak NG in one variant: by the voice file ``file``, with the library and data ``build``."""

    chain = _CHAIN

    def __init__(self, language: str, variant: str, file: bytes, build: str = "") -> None:
        self.name = f"espeak:{_variant(language, variant)}"
        self.ipa = language.partition("-")[0] == "en"
        self.languages = (language,)
        self.file = file
        self._text = calibration_text(language)
        parts = (build.encode(), file, self._text.encode(), repr(_SETTINGS).encode())
        digest = hashlib.sha256(b"\0".join(parts)).hexdigest()
        self.fingerprint = f"espeak {_VERSION} {language} {digest}"
        self._lock = threading.Lock()
        self._calibration: Calibration | None = None

    def speak(self, utterance: Utterance, rate: WordsPerMinute) -> Speech:
        """Speak with word times. Raises VoiceError for a rate out of reach and for text it has no sounds for."""
        from metta_audio.voices.espeak.speaking import calibrated, spoken

        with self._lock:
            if self._calibration is None:
                self._calibration = calibrated(self.file, self._text, _SETTINGS)
        setting = round(self._calibration.setting(rate))
        speech = spoken(self.file, utterance, setting, english=self.ipa)
        if speech is None:
            raise unspeakable(self.name)
        return speech


class EspeakEngine:
    """All voices of eSpeak NG: ``espeak``, ``espeak:en-gb``, ``espeak:en-us+f3``, ``espeak:+f3``."""

    name = "espeak"

    def __init__(self, setup: Setup) -> None:
        del setup  # nothing to set up

    def problem(self) -> str:
        """Say why it cannot run here; empty when it can."""
        try:
            _library()
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

    def glance(self, variant: str, language: str) -> str:
        """Name of the voice where its files are here and it speaks ``language``; empty where a closer look is needed.

        Nothing is loaded: whether the library works shows when it speaks, or when ``problem`` is asked.
        """
        try:
            spoken, name = self._resolve(variant, language)
        except VoiceError:
            return ""
        fits = speaks((spoken,), language) if variant else spoken == language.lower()
        return f"espeak:{_variant(spoken, name)}" if fits else ""

    def cast(self, variant: str, language: str, roles: int) -> Sequence[str]:
        """Choose voices of one language by pitch, each as far as can be from those before it."""
        spoken, lead = self._resolve(variant, language)
        if roles == 1:
            return [_variant(spoken, lead)]
        catalog = _catalog_for(spoken)
        chosen = [lead]
        pool = [name for name in _CALM if name != lead and (not name or name in catalog.variants)]
        while pool and len(chosen) < roles:
            taken = [math.log(catalog.pitch(name)) for name in chosen]
            distances = [min(abs(math.log(catalog.pitch(name)) - pitch) for pitch in taken) for name in pool]
            chosen.append(pool.pop(distances.index(max(distances))))
        # More roles than calm voices: they share.
        names = list(itertools.islice(itertools.cycle(chosen), roles))
        return [_variant(spoken, name) for name in names]

    def open(self, variant: str, language: str) -> EspeakVoice:
        """Open ``language``, or the language that ``variant`` names, in its variant."""
        spoken, name = self._resolve(variant, language)
        catalog = _catalog_for(spoken)
        return EspeakVoice(spoken, name, catalog.voice_file(spoken, name), _build(catalog.languages[spoken]))

    def _resolve(self, variant: str, language: str) -> tuple[str, str]:
        spoken, _, name = variant.partition("+")
        catalog = _catalog_for(spoken or language)
        return catalog.language(spoken or language), catalog.variant(name) if name else _CALM[0]


def _variant(language: str, name: str) -> str:
    """What stands behind the engine's name."""
    return f"{language}+{name}" if name else language


def _library() -> Library:
    from metta_audio.voices.espeak.library import library

    return library()


@functools.cache
def _catalog(begin: str = "") -> Catalog:
    return read_catalog(installed()[1], begin)


def _catalog_for(language: str) -> Catalog:
    """The catalog of all languages; a part of it, where that is enough to find the file of ``language``."""
    wanted = language.lower().replace("_", "-")
    near = _catalog(wanted)
    if wanted in near.languages and near.languages[wanted].name.lower() == wanted:
        return near
    family = _catalog(wanted.partition("-")[0])
    return family if wanted in family.languages else _catalog()


def _build(language: Path) -> str:
    """What tells this eSpeak NG from another, for the language of that file."""
    library, data = installed()
    try:
        return build(library, data, language)
    except OSError:  # the system knows it by another name than that of its file
        return _library().version
