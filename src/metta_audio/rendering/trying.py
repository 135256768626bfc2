"""A voice by itself, to listen to before choosing it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from metta_audio.encode.container import container_of, write_audio
from metta_audio.errors import SettingsError, VoiceError
from metta_audio.rendering.options import Progress, silent_progress
from metta_audio.rendering.voices import LANGUAGE
from metta_audio.rendering.workplace import workplace
from metta_audio.script.model import ARTICULATION, RATES
from metta_audio.settings import read_settings
from metta_audio.shelves import Shelves
from metta_audio.sound.wave import Block
from metta_audio.speech.calibration import calibration_text
from metta_audio.speech.clip import make_clip
from metta_audio.speech.lexicon import pronounced
from metta_audio.speech.setup import AUTO
from metta_audio.speech.utter import utter
from metta_audio.speech.voice import Engine, Utterance, chain_of, languages_of, reads_ipa
from metta_audio.units import RATE, Seconds, WordsPerMinute, to_samples
from metta_audio.voices.registry import best_voice, find_engines, open_voice

GAP = Seconds(0.7)
"""Between two sentences: enough to hear that one has ended, no practice yet."""


@dataclass(frozen=True, slots=True)
class Tried:
    """What was written: ``seconds`` of the voice ``name`` speaking ``language``."""

    path: Path
    name: str
    language: str
    seconds: Seconds


def try_voice(
    name: str,
    path: Path,
    *,
    text: str | None = None,
    language: str = "",
    rate: float = ARTICULATION,
    progress: Progress = silent_progress,
) -> Tried:
    """Write ``path``, in the format that its suffix tells: the voice ``name`` (or "auto") saying ``text``.

    The text is spoken as in a recording: sentence by sentence, by the lexicon, through the voice's own chain, at
    ``rate`` words a minute. Without one it says a few sentences of a practice. ``language`` (BCP 47) is the voice's
    first unless given. All or nothing. Raises VoiceError, EncodeError, SettingsError.
    """
    low, high = RATES
    if not low <= rate <= high:
        raise SettingsError(f"{rate:g} words a minute is out of range", hint=f"choose from {low:g} to {high:g}")
    if text is not None and not text.strip():
        raise VoiceError("there is nothing to say", hint="write words, or leave it out to hear some of a practice")
    kind = container_of(path)
    name, language = name.strip(), language.strip()
    settings = read_settings()
    engines = find_engines(settings.setup())
    if name == AUTO:
        name = best_voice(engines, language or LANGUAGE)
    spoken = (language or _first_language(engines, name)).lower()
    voice = open_voice(engines, name, spoken)
    lexicon = Shelves.standard(settings=settings).lexicon()
    sentences = list(_sentences(calibration_text(spoken) if text is None else text, spoken))
    if not sentences:
        raise VoiceError("there is nothing in this text that can be spoken", hint="write words")
    with workplace(path.parent) as staging:
        target = staging.path(path.name)
        clips = []
        for number, sentence in enumerate(sentences):
            progress("speaking", number, len(sentences))
            said = pronounced(Utterance(sentence), lexicon, spoken, ipa=reads_ipa(voice))
            clips.append(make_clip(utter(voice, said, WordsPerMinute(rate), spoken), chain_of(voice)).wave.samples)
        progress("speaking", len(sentences), len(sentences))
        sound = _joined(clips)
        write_audio(target, kind, [sound], frames=len(sound))
        staging.commit()
    return Tried(path, voice.name, spoken, Seconds(len(sound) / RATE))


def _first_language(engines: Mapping[str, Engine], name: str) -> str:
    """The first language of a voice, as its engine lists it, of its speaker or variant, or as the voice itself says."""
    engine, _, variant = name.partition(":")
    if not variant or engine not in engines or engines[engine].problem():
        return LANGUAGE
    wanted = name.lower()
    for info in engines[engine].voices():
        listed = info.name.lower()
        # "espeak:en-gb+f3" is a variant of "espeak:en-gb", "piper:…#1" a speaker of "piper:…".
        if info.languages and wanted.startswith(listed) and wanted[len(listed) : len(listed) + 1] in ("", "+", "#"):
            return info.languages[0]
    try:
        return next(iter(languages_of(engines[engine].open(variant, LANGUAGE))), LANGUAGE)
    except VoiceError:
        return LANGUAGE  # opening it in earnest tells why


def _sentences(text: str, language: str) -> Iterator[str]:
    import sentencex

    for sentence in sentencex.segment(language.partition("-")[0], text):
        plain = " ".join(sentence.split())
        if any(map(str.isalnum, plain)):
            yield plain


def _joined(clips: list[Block]) -> Block:
    """The clips one after another, on both channels."""
    gap = np.zeros((to_samples(GAP), 1), np.float32)
    parts = [part for clip in clips for part in (clip, gap)][:-1]
    return np.repeat(np.concatenate(parts), 2, axis=1)
