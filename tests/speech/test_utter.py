"""Every voice says a line of any length, and none is asked to say what nobody could."""

from __future__ import annotations

import traceback
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metta_audio.errors import MissingTake, Place, VoiceError
from metta_audio.script.model import Span
from metta_audio.sound.wave import Wave
from metta_audio.speech.activity import stretches
from metta_audio.speech.clip import make_clip
from metta_audio.speech.utter import BREATH, LONGEST, utter
from metta_audio.speech.voice import Setup, Speech, Utterance, Word
from metta_audio.speech.words import word_ranges
from metta_audio.voices.tone import ToneEngine


class Listener:
    """A voice that remembers what it was asked to say."""

    name = fingerprint = "listener"

    def __init__(self, words=True):
        self.asked = []
        self._voice = ToneEngine(Setup()).open("", "en-us")
        self._words = words

    def speak(self, utterance, rate):
        self.asked.append(utterance)
        speech = self._voice.speak(utterance, rate)
        return speech if self._words else Speech(speech.wave)


def said(text, spans=(), **options):
    voice = Listener(**options)
    return voice, utter(voice, Utterance(text, tuple(spans)), 110)


def test_what_is_short_is_handed_on_as_it_is():
    voice, speech = said("May I be safe.", [Span(0, 3, "slow")])
    assert voice.asked == [Utterance("May I be safe.", (Span(0, 3, "slow"),))]
    assert speech == speech.__class__(speech.wave, speech.words)


SENTENCE = "You may notice the breath, coming in and going out, and whatever else is here. "
LONG = (SENTENCE * 40)[:3000].rstrip()


def test_three_thousand_characters_are_parted_where_sentences_end():
    voice, speech = said(LONG)
    assert len(voice.asked) >= 5
    assert all(len(each.text) <= LONGEST for each in voice.asked)
    assert all(each.text.endswith("here.") for each in voice.asked[:-1])
    assert " ".join(each.text for each in voice.asked) == LONG
    assert [(word.start, word.end) for word in speech.words] == list(word_ranges(LONG))
    onsets = [word.onset for word in speech.words]
    assert onsets == sorted(onsets)


def test_pieces_stand_a_breath_apart_and_words_keep_their_time():
    voice, speech = said(LONG)
    found = stretches(speech.wave)
    pauses = [after[0] - before[1] for before, after in pairwise(found)]
    assert len(pauses) == len(voice.asked) - 1
    assert all(pause / speech.wave.rate == pytest.approx(BREATH, abs=0.01) for pause in pauses)
    clip = make_clip(speech)
    loud = np.abs(clip.wave.samples[:, 0]) > 0.05
    for word in clip.words:
        assert loud[word.onset : word.onset + 900].any()
        assert not loud[max(0, word.onset - 600) : max(0, word.onset - 100)].any()


@given(
    st.lists(
        st.sampled_from(["om", "breath,", "so.", "now", "Rest!", "x" * 90, "—", "ātman"]), min_size=1, max_size=900
    )
)
def test_nothing_is_lost_and_nothing_is_too_long(parts):
    text = " ".join(parts)
    if not any(map(str.isalnum, text)):
        return
    voice, speech = said(text)
    assert all(len(each.text) <= LONGEST for each in voice.asked)
    kept = "".join("".join(each.text.split()) for each in voice.asked)
    assert [c for c in kept if c.isalnum()] == [c for c in text if c.isalnum()]
    assert [(word.start, word.end) for word in speech.words] == list(word_ranges(text))


def test_a_text_without_any_space_is_parted_all_the_same():
    voice, _ = said("x" * 1500)
    assert [len(each.text) for each in voice.asked] == [600, 600, 300]


def test_markup_goes_with_its_piece_and_a_pronunciation_is_never_torn():
    where = LONG.index("here.", 540)
    spans = [Span(0, len(LONG), "slow"), Span(where, where + 200, "sub", "hear")]
    voice, _ = said(LONG, spans)
    assert all(each.spans[0].kind == "slow" for each in voice.asked)
    assert all(0 <= span.start < span.end <= len(each.text) for each in voice.asked for span in each.spans)
    (held,) = [span for each in voice.asked for span in each.spans if span.kind == "sub"]
    assert held.end - held.start == 200


def test_words_are_told_only_where_all_are_known():
    assert said(LONG, words=False)[1].words == ()


@pytest.mark.parametrize("text", ["", "   ", "…", "♥ — ☸", "?!"])
def test_what_nobody_can_say_is_an_error_and_is_not_repeated(text):
    voice = Listener()
    with pytest.raises(VoiceError, match="nothing in this line that can be spoken"):
        utter(voice, Utterance(text), 110)
    assert voice.asked == []


def test_a_sign_with_a_pronunciation_can_be_said():
    voice, _ = said("♥", [Span(0, 1, "sub", "heart")])
    assert len(voice.asked) == 1


def test_pieces_of_any_rate_and_width_are_joined():
    class Stereo(Listener):
        def speak(self, utterance, rate):
            self.asked.append(utterance)
            return Speech(Wave(np.full((2_000, 2), 0.1, np.float32), 16_000), (Word(0, 3, 100),))

    voice = Stereo()
    speech = utter(voice, Utterance(LONG), 110)
    assert (speech.wave.rate, speech.wave.samples.shape[1]) == (16_000, 1)


class Odd:
    """A third party's voice, which may give or raise anything."""

    name = "theirs:odd"
    fingerprint = "odd"

    def __init__(self, given):
        self._given = given

    def speak(self, utterance, rate):
        if isinstance(self._given, BaseException):
            raise self._given
        return self._given


def holed(sample):
    samples = np.full(16_000, 0.1)
    samples[8_000] = sample
    return Speech(Wave.mono(samples, 16_000))


@pytest.mark.parametrize("text", ["May Zebulon rest.", LONG])
@pytest.mark.parametrize(
    "given", [holed(np.nan), holed(np.inf), holed(-np.inf), Speech(Wave.mono(np.zeros(0), 16_000))]
)
def test_a_sound_that_nobody_could_play_is_an_error_that_names_the_voice(given, text):
    with pytest.raises(VoiceError, match=r"^theirs:odd gives no usable sound"):
        utter(Odd(given), Utterance(text), 110)


@pytest.mark.parametrize("given", [RuntimeError("cannot say May Zebulon rest."), KeyError("Zebulon"), None])
def test_a_voice_that_breaks_is_named_and_the_line_is_not_told(given):
    line = Utterance("May Zebulon rest.")
    with pytest.raises(VoiceError) as caught:
        utter(Odd(given), line, 110)
    assert caught.value.what == f"theirs:odd failed ({type(given).__name__ if given else 'AttributeError'})"
    assert "Zebulon" not in "".join(traceback.format_exception(caught.value))


def test_who_stops_it_is_not_kept():
    with pytest.raises(KeyboardInterrupt):
        utter(Odd(KeyboardInterrupt()), Utterance("May I rest."), 110)


def test_what_a_voice_says_of_itself_is_told_with_its_name_and_place():
    with pytest.raises(MissingTake) as caught:
        utter(Odd(MissingTake("no such line", place=Place("a.md", 3), hint="read it")), Utterance("Rest."), 110)
    assert str(caught.value) == "a.md:3:1: theirs:odd: no such line; read it"
