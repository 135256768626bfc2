"""The laws that every engine keeps, ours or anyone's: one table of engines, each law said once.

Neural engines speak through tiny models, ``http`` through a server on this machine, ``command`` through a small
program, ``takes`` from recordings made here.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import soundfile
import tiny_models
from speech_server import speech_server

from metta_audio.errors import MissingTake, VoiceError
from metta_audio.script.model import Span
from metta_audio.sound.levels import SPEECH
from metta_audio.sound.loudness import integrated
from metta_audio.speech.activity import articulation
from metta_audio.speech.clip import Clip, make_clip
from metta_audio.speech.utter import utter
from metta_audio.speech.voice import Engine, Setup, Utterance, Voice, chain_of, is_concurrent
from metta_audio.speech.words import word_ranges
from metta_audio.takes.index import Entry, Index, Take
from metta_audio.takes.lines import key
from metta_audio.takes.store import TakeSet
from metta_audio.units import RATE
from metta_audio.voices.registry import find_engines, open_voice

TEXTS = (
    "However you are sitting is fine, with your eyes open or closed.",
    "May I be safe.",
    "Notice the weight of your hands, and let your shoulders be as they are for a while.",
)
LONG = ("You may notice the breath as it comes in and as it goes out again. " * 46)[:3000]
PASSAGE = (
    "However you are sitting is fine, with your eyes open or closed. If it feels right, let your hands rest. "
    "Notice the weight of your body, and whatever holds it. You may stay with this for a while."
)

PROGRAM = """
import array, math, sys, wave
text, out, rate = sys.argv[1], sys.argv[2], float(sys.argv[3])
step = 60 / rate
length = int(0.8 * step * 8000)
tone = [math.sin(math.pi * n / length) * math.sin(2 * math.pi * 180 * n / 8000) for n in range(length)]
word = [int(9000 * each) for each in tone] + [0] * int(0.2 * step * 8000)
with wave.open(out, "wb") as file:
    file.setparams((1, 2, 8000, 0, "NONE", ""))
    file.writeframes(array.array("h", [0] * 800 + word * len(text.split()) + [0] * 800).tobytes())
"""
"""A voice that buzzes once a word, and starts quickly: only what comes with Python is imported."""


@dataclass(frozen=True)
class Case:
    """One voice and what may be asked of it."""

    voice: str
    rated: bool = True
    """Whether it speaks at the rate it is asked for."""
    fixed: bool = False
    """Whether it has only the lines that were recorded."""


CASES = {
    "espeak": Case("espeak"),
    "espeak-gb": Case("espeak:en-gb+f3"),
    "tone": Case("tone"),
    "silent": Case("silent"),
    "system": Case("system"),
    "piper": Case("piper:en_US-tiny-low"),
    "kokoro": Case("kokoro:af_heart"),
    "http": Case("http:nova"),
    "command": Case("command:beep"),
    "takes": Case("takes:ana", rated=False, fixed=True),
}
SOUNDING = {name: case for name, case in CASES.items() if name != "silent"}
SPEAKING = {name: case for name, case in SOUNDING.items() if not case.fixed}
RATED = {name: case for name, case in SOUNDING.items() if case.rated}


def record(folder: Path) -> None:
    """Takes of the texts, as espeak reads them."""
    reader = open_voice(find_engines(Setup()), "espeak", "en-us")
    takes = TakeSet(folder, "ana")
    entries = {}
    for number, text in enumerate(TEXTS, 1):
        wave = reader.speak(Utterance(text), 105 + number).wave
        take = Take(takes.write(wave), wave.rate, wave.frames, articulation(wave), len(text.split()), "a", number)
        entries[key(text)] = Entry(take)
    takes.update(lambda index: Index(entries))


@pytest.fixture(scope="module")
def setup(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Setup]:
    home = tmp_path_factory.mktemp("voices")
    program = home / "beep.py"
    program.write_text(PROGRAM, encoding="utf-8")
    tiny_models.write_piper(home / "voices" / "piper")
    model, styles = tiny_models.write_kokoro(home / "kokoro")
    record(home / "takes")
    with ExitStack() as stack:
        url = stack.enter_context(speech_server())
        yield Setup(
            voices=home / "voices",
            takes=home / "takes",
            tables={
                "http": {"url": url, "voices": ["nova"]},
                "kokoro": {"model": str(model), "voices": str(styles)},
                "command": {"beep": f"'{sys.executable}' -SE '{program}' {{text}} {{out}} {{rate}}"},
            },
        )


@pytest.fixture(scope="module")
def voice_of(setup: Setup) -> Callable[[str], Voice]:
    engines = find_engines(setup)
    opened: dict[str, Voice] = {}

    def give(name: str) -> Voice:
        if name not in opened:
            engine: Engine = engines[CASES[name].voice.partition(":")[0]]
            problem = engine.problem()
            assert not problem, problem
            opened[name] = open_voice(engines, CASES[name].voice, "en-us")
        return opened[name]

    return give


def clip_of(voice: Voice, text: str, rate: float = 110, spans: tuple[Span, ...] = ()) -> Clip:
    return make_clip(utter(voice, Utterance(text, spans), rate, "en-us"), chain_of(voice))


every = pytest.mark.parametrize("name", CASES)
sounding = pytest.mark.parametrize("name", SOUNDING)
speaking = pytest.mark.parametrize("name", SPEAKING)


@every
def test_what_comes_is_float32_with_its_rate_and_words_in_order(voice_of, name):
    speech = utter(voice_of(name), Utterance(TEXTS[0]), 110)
    assert speech.wave.samples.dtype == np.float32
    assert speech.wave.samples.ndim == 2
    assert 8_000 <= speech.wave.rate <= 96_000
    assert speech.wave.frames > speech.wave.rate
    if speech.words:
        assert [(word.start, word.end) for word in speech.words] == list(word_ranges(TEXTS[0]))
        onsets = [word.onset for word in speech.words]
        assert onsets == sorted(onsets)
        assert 0 <= onsets[0] <= onsets[-1] < speech.wave.frames


@every
def test_a_clip_is_mono_at_our_rate_and_never_clips(voice_of, name):
    wave = clip_of(voice_of(name), TEXTS[0]).wave
    assert (wave.rate, wave.samples.shape[1], wave.samples.dtype) == (RATE, 1, np.float32)
    assert np.abs(wave.samples).max() <= 10 ** (-3 / 20) + 1e-6


@sounding
@pytest.mark.parametrize("text", TEXTS)
def test_no_end_is_silent_for_more_than_20_ms(voice_of, name, text):
    samples = clip_of(voice_of(name), text).wave.samples[:, 0].astype(np.float64)
    window = RATE // 200
    level = np.sqrt(np.convolve(samples**2, np.ones(window) / window, "same"))
    heard = np.flatnonzero(level > 0.01 * level.max())
    assert heard[0] <= 0.02 * RATE
    assert len(samples) - heard[-1] <= 0.02 * RATE


@sounding
@pytest.mark.parametrize("text", TEXTS)
def test_every_voice_is_as_loud_as_every_other(voice_of, name, text):
    samples = clip_of(voice_of(name), text).wave.samples
    stereo = np.repeat(np.pad(samples, ((RATE // 2, RATE // 2), (0, 0))), 2, axis=1)
    assert integrated(stereo, RATE) == pytest.approx(SPEECH, abs=1.0)


@pytest.mark.parametrize("name", RATED)
@pytest.mark.parametrize("rate", [90, 110, 145])
def test_words_come_at_the_rate_that_is_asked_for(voice_of, name, rate):
    spoken = articulation(clip_of(voice_of(name), PASSAGE, rate).wave)
    assert len(word_ranges(PASSAGE)) * 60 / spoken == pytest.approx(rate, rel=0.10)


@every
def test_the_same_line_gives_the_same_bytes_whatever_was_said_before(voice_of, setup, name):
    voice = voice_of(name)
    first = clip_of(voice, TEXTS[1])
    clip_of(voice, TEXTS[2], 120)
    assert same(clip_of(voice, TEXTS[1]), first)
    anew = open_voice(find_engines(setup), CASES[name].voice, "en-us")
    assert anew.fingerprint == voice.fingerprint
    assert same(clip_of(anew, TEXTS[1]), first)


def same(one: Clip, other: Clip) -> bool:
    return one.words == other.words and one.wave.samples.tobytes() == other.wave.samples.tobytes()


@every
def test_threads_change_nothing(voice_of, name):
    voice = voice_of(name)
    if not is_concurrent(voice):
        pytest.skip("spoken by one thread")
    alone = [clip_of(voice, text) for text in TEXTS]
    together: dict[int, Clip] = {}
    threads = [
        threading.Thread(target=lambda n=number: together.__setitem__(n, clip_of(voice, TEXTS[n % 3])))
        for number in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(same(together[number], alone[number % 3]) for number in range(6))


@every
@pytest.mark.parametrize("text", ["", " ", "…", "♥"])
def test_what_nobody_can_say_is_an_error_of_ours(voice_of, name, text):
    with pytest.raises(VoiceError):
        clip_of(voice_of(name), text)


@pytest.mark.parametrize("name", SPEAKING | {"silent": CASES["silent"]})
def test_a_line_of_three_thousand_characters_is_said_whole(voice_of, name):
    speech = utter(voice_of(name), Utterance(LONG), 140, "en-us")
    words = len(word_ranges(LONG))
    assert speech.wave.frames / speech.wave.rate > 0.6 * words * 60 / 140
    assert not speech.words or len(speech.words) == words


LETTERS = ("मैत्री", "慈悲喜舍", "Мир вам", "mettā, ānāpānasati", "1 2 3", "Ana\u200b-\u0301\x07x")


def said_or_refused(voice: Voice, text: str) -> Clip | VoiceError:
    try:
        return clip_of(voice, text)
    except VoiceError as error:
        return error


@every
@pytest.mark.parametrize("text", LETTERS)
def test_any_letters_are_spoken_or_refused_by_an_error_of_ours(voice_of, name, text):
    outcome = said_or_refused(voice_of(name), text)
    if isinstance(outcome, VoiceError):
        assert text not in str(outcome)
        assert outcome.hint
    else:
        assert outcome.wave.frames > 0


@speaking
@pytest.mark.parametrize("kind", ["slow", "fast", "soft", "loud", "emphasis"])
def test_markup_is_never_spoken(voice_of, name, kind):
    voice = voice_of(name)
    text = "[1] May I <b>rest</b> & be {well}."
    marked = articulation(clip_of(voice, text, spans=(Span(8, 21, kind),)).wave)
    plain = articulation(clip_of(voice, text).wave)
    assert marked == pytest.approx(plain, rel=0.3)


@speaking
def test_a_respelling_is_said_instead(voice_of, name):
    if name == "tone":
        pytest.skip("it counts the words of the text")
    voice = voice_of(name)
    longer = clip_of(voice, "May metta grow.", spans=(Span(4, 9, "sub", "unending loving kindness"),))
    assert articulation(longer.wave) > 1.2 * articulation(clip_of(voice, "May metta grow.").wave)


def test_a_line_that_nobody_recorded_is_missing(voice_of):
    with pytest.raises(MissingTake) as caught:
        clip_of(voice_of("takes"), "Nobody said this.")
    assert "Nobody said this" not in str(caught.value)


@every
def test_an_unknown_variant_is_an_error_with_advice(setup, name):
    engine = CASES[name].voice.partition(":")[0]
    with pytest.raises(VoiceError) as caught:
        open_voice(find_engines(setup), f"{engine}:zz-no-such-voice", "en-us").speak(Utterance("May I rest."), 110)
    assert caught.value.hint


@pytest.mark.parametrize("name", [name for name in SPEAKING if name not in ("tone", "system", "espeak-gb")])
def test_a_voice_is_told_by_its_fingerprint(voice_of, name):
    assert voice_of(name).fingerprint not in {voice_of(other).fingerprint for other in SPEAKING if other != name}


@every
def test_nothing_is_printed(voice_of, name, capfd):
    clip_of(voice_of(name), TEXTS[0], 112)
    assert capfd.readouterr() == ("", "")


@pytest.mark.slow
@sounding
def test_an_independent_meter_agrees_on_loudness(voice_of, name, tmp_path, require_program):
    import re
    import subprocess

    clip = clip_of(voice_of(name), TEXTS[0])
    gap = np.zeros((RATE, 2), np.float32)
    sound = np.concatenate([gap, np.repeat(clip.wave.samples, 2, axis=1), gap])
    soundfile.write(tmp_path / "a.wav", sound, RATE, "FLOAT")
    command = [require_program("ffmpeg"), "-nostats", "-i", tmp_path / "a.wav", "-af", "ebur128", "-f", "null", "-"]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stderr
    loudness = re.findall(r"I:\s+(-?[\d.]+) LUFS", text)[-1]
    assert float(loudness) == pytest.approx(SPEECH, abs=1.0)
