from __future__ import annotations

import subprocess
import sys

import pytest

from metta_audio.errors import VoiceError
from metta_audio.script.model import Span
from metta_audio.speech.activity import stretches
from metta_audio.speech.voice import Utterance
from metta_audio.voices import system
from metta_audio.voices.system import ENGINE


@pytest.fixture(autouse=True)
def forget_voices():
    system._voices.cache_clear()
    yield
    system._voices.cache_clear()


def answering(monkeypatch, answer):
    def run(command, **options):
        if isinstance(answer, Exception):
            raise answer
        return subprocess.CompletedProcess(command, 0, answer, b"")

    monkeypatch.setattr(subprocess, "run", run)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (subprocess.TimeoutExpired("x", 60), "does not answer"),
        (subprocess.CalledProcessError(-11, "x", b"", b""), "failed (status -11)"),
        (
            subprocess.CalledProcessError(1, "x", b"", b"Traceback\nRuntimeError: no eSpeak\n"),
            "RuntimeError: no eSpeak",
        ),
        (OSError("no memory"), "no memory"),
        (b"", "cannot be used"),
        (b"chatter\nnot json", "cannot be used"),
        (b"[]", "has no voices"),
    ],
)
def test_whatever_a_system_engine_does_is_told_not_thrown(monkeypatch, answer, says):
    answering(monkeypatch, answer)
    assert says in ENGINE.problem()
    assert "espeak" in ENGINE.problem()
    assert list(ENGINE.variants()) == []


VOICES = b'chatter from the engine\n[["one", "en-us"], ["two", "de"], ["three", "en-gb"], ["four", ""]]'


def test_voices_are_chosen_by_language(monkeypatch):
    answering(monkeypatch, VOICES)
    assert ENGINE.open("", "en-gb").name == "system:three"
    assert ENGINE.open("", "de-at").name == "system:two"
    assert ENGINE.open("one", "de").name == "system:one"
    assert list(ENGINE.cast("three", "en-us", 4)) == ["three", "one", "four", "three"]


def test_unknown_voices_and_languages_are_errors(monkeypatch):
    answering(monkeypatch, b'[["one", "en-us"]]')
    with pytest.raises(VoiceError, match=r'no voice "on"; did you mean "one"\?'):
        ENGINE.open("on", "en-us")
    with pytest.raises(VoiceError, match='no voice for "fi"'):
        ENGINE.open("", "fi")


def test_substitutes_are_put_in():
    spans = (Span(4, 9, "sub", "meh ta"), Span(0, 3, "slow"), Span(10, 13, "sub", "yes"))
    assert system._substituted(Utterance("The metta now.", spans)) == "The meh ta yes."


def test_a_file_that_never_comes_is_not_waited_for_long(monkeypatch, tmp_path):
    monkeypatch.setattr(system, "_GRACE", 0.1)
    assert not system._finished(tmp_path / "nothing.wav")
    tmp_path.joinpath("whole.wav").write_bytes(b"whole")
    assert system._finished(tmp_path / "whole.wav")


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the system's own voices answer")
def test_the_system_speaks_in_a_process_of_its_own(require_program):
    require_program("espeak-ng")
    assert ENGINE.problem() == ""
    voice = ENGINE.open("", "en-us")
    speech = voice.speak(Utterance("May I be safe and well."), 130)
    assert stretches(speech.wave)
    assert speech.words == ()
    assert (
        speech.wave.samples.tobytes() == voice.speak(Utterance("May I be safe and well."), 130).wave.samples.tobytes()
    )
