from __future__ import annotations

import pytest

import metta_audio
from metta_audio.script.model import Line
from metta_audio.speech.activity import articulation
from metta_audio.speech.voice import Setup, Utterance
from metta_audio.speech.words import word_ranges
from metta_audio.voices.espeak import EspeakEngine

PRACTICES = ("metta-classic", "body-scan", "ifs-protector", "breath-belly")
VOICE = EspeakEngine(Setup()).open("", "en-us")


def rate_of(practice, asked):
    """Words a minute at which all lines of ``practice`` are said, pauses left out."""
    session = metta_audio.fill(metta_audio.load(practice))
    texts = {item.text for section in session.sections for item in section.items if isinstance(item, Line)}
    seconds = sum(articulation(VOICE.speak(Utterance(text), asked).wave) for text in sorted(texts))
    return sum(len(word_ranges(text)) for text in texts) * 60 / seconds


@pytest.mark.slow
@pytest.mark.parametrize("practice", PRACTICES)
@pytest.mark.parametrize("asked", [90, 110, 130, 160])
def test_the_practices_are_spoken_at_the_rate_asked_for(practice, asked):
    assert rate_of(practice, asked) == pytest.approx(asked, rel=0.1)


def test_one_practice_is_spoken_at_its_own_rate():
    assert rate_of("body-scan", 110) == pytest.approx(110, rel=0.1)
