"""One utterance through the eSpeak NG library: markup, sound, word times."""

from __future__ import annotations

from collections.abc import Sequence

from metta_audio.sound.wave import Wave
from metta_audio.speech.activity import stretches
from metta_audio.speech.calibration import Calibration, calibrate
from metta_audio.speech.voice import Speech, Utterance
from metta_audio.speech.words import word_numbers, words_at
from metta_audio.units import Samples
from metta_audio.voices.espeak.library import Heard, library
from metta_audio.voices.espeak.markup import markup


def spoken(voice: bytes, utterance: Utterance, setting: int, *, english: bool) -> Speech | None:
    """Have the voice of that file speak at that ``setting`` of its rate, with word times; None where nothing sounds."""
    marked = markup(utterance, english=english)
    heard = library().speak(voice, marked.ssml, setting, phonemes=marked.phonemes)
    found = stretches(heard.wave)
    if not found:
        return None
    known = _known_onsets(utterance.text, marked.origin, heard)
    return Speech(heard.wave, words_at(utterance.text, known, found[-1][1]))


def calibrated(voice: bytes, text: str, settings: Sequence[float]) -> Calibration:
    """Measure the voice of that file while it says ``text`` at each of ``settings``."""
    ssml = markup(Utterance(text), english=True).ssml

    def say(setting: float) -> Wave:
        return library().speak(voice, ssml, round(setting), phonemes=False).wave

    return calibrate(say, text, settings)


def _known_onsets(text: str, origin: list[int], heard: Heard) -> dict[int, Samples]:
    """Onset of each word, by its number: the first event inside it."""
    number_at = word_numbers(text)
    known: dict[int, Samples] = {}
    for position, sample in heard.events:
        number = number_at.get(origin[position]) if 0 <= position < len(origin) else None
        if number is not None:
            known[number] = min(known.get(number, Samples(sample)), Samples(sample))
    return known
