from __future__ import annotations

import logging
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from speech_server import FORMATS, OWN_RATE, speech_server

from metta_audio.errors import Place, VoiceError
from metta_audio.script.model import Span
from metta_audio.speech.activity import articulation, stretches
from metta_audio.speech.calibration import calibration_text
from metta_audio.speech.voice import Setup, Utterance, is_concurrent, reads_ipa
from metta_audio.speech.words import word_ranges
from metta_audio.voices.http import HttpEngine, request
from metta_audio.voices.registry import find_engines, open_voice

KEY = "sk-a1b2c3d4e5f6g7h8"
LINE = Utterance("May Zebulon be at ease.")
PASSAGE = Utterance(
    "Let your shoulders be heavy now. Notice the breath where it is easiest to feel, at the nose, the chest or the "
    "belly. When the mind wanders, come back kindly. There is nothing else to do."
)


@pytest.fixture(autouse=True)
def alone(monkeypatch):
    for name in ("METTA_HTTP_URL", "METTA_HTTP_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(request, "PAUSES", (0.01, 0.01))


def engine(url="", *, private=False, **table):
    return HttpEngine(Setup(tables={"http": {"url": str(url), **table}} if url else {}, private=private))


def voice(url, **table):
    return engine(url, **table).open("", "en")


def spoken_already(voice, rate=110):
    """A voice whose rate is known: the next request is for a line."""
    voice._speeds[rate] = 1.0
    return voice


@pytest.mark.parametrize("rate", [84, 110, 130, 160])
def test_a_server_speaks_at_the_rate_that_was_asked_for(rate):
    with speech_server() as url:
        speech = voice(url).speak(PASSAGE, rate)
    heard = len(word_ranges(PASSAGE.text)) * 60 / articulation(speech.wave)
    assert heard == pytest.approx(rate, rel=0.1)
    assert speech.wave.channels == 1
    assert speech.words == ()


def test_a_rate_costs_two_requests_and_only_when_it_is_spoken():
    with speech_server() as url:
        ours = voice(url, voices=["ann", "bob"], model="large")
        assert ours.fingerprint
        assert url.requests == []
        ours.speak(LINE, 110)
        ours.speak(LINE, 110)
        assert [asked["input"] for asked in url.requests] == [calibration_text("en")] * 2 + [LINE.text] * 2
        ours.speak(LINE, 130)
        assert len(url.requests) == 6
        assert {(asked["voice"], asked["model"], asked["response_format"]) for asked in url.requests} == {
            ("ann", "large", "wav")
        }


def test_the_same_line_sounds_the_same_whatever_was_spoken_before():
    with speech_server() as url:
        first, second = voice(url), voice(url)
        second.speak(PASSAGE, 140)
        assert first.speak(LINE, 110).wave.samples.tobytes() == second.speak(LINE, 110).wave.samples.tobytes()


def test_a_server_that_heeds_no_speed_speaks_at_its_own_and_it_is_noted():
    with speech_server("deaf") as url:
        ours = voice(url)
        assert ours.note == ""
        heard = len(word_ranges(PASSAGE.text)) * 60 / articulation(ours.speak(PASSAGE, 90).wave)
        assert heard == pytest.approx(OWN_RATE, rel=0.05)
        assert "at its own 1" in ours.note
        assert "does not heed speed" in ours.note


def test_a_rate_out_of_reach_is_an_error_with_the_range():
    with speech_server() as url, pytest.raises(VoiceError, match=r"cannot speak 60 words.*choose a rate from 8\d to"):
        voice(url).speak(LINE, 60)


def test_substitutes_are_sent_and_other_markup_is_not():
    spans = (Span(4, 11, "sub", "zeb u lon"), Span(0, 3, "slow"), Span(12, 14, "ipa", "biː"))
    with speech_server() as url:
        ours = spoken_already(voice(url))
        ours.speak(Utterance(LINE.text, spans), 110)
        assert [asked["input"] for asked in url.requests] == ["May zeb u lon be at ease."]
        assert not reads_ipa(ours)


def test_several_threads_may_ask_at_once():
    with speech_server(slow=0.2) as url:
        ours = spoken_already(voice(url))
        assert is_concurrent(ours)
        ours.speak(LINE, 110)
        start = time.monotonic()
        with ThreadPoolExecutor(4) as pool:
            waves = list(pool.map(lambda _: ours.speak(LINE, 110).wave.samples.tobytes(), range(4)))
        assert time.monotonic() - start < 0.7
        assert len(set(waves)) == 1


@pytest.mark.parametrize("mode", ["stream", *FORMATS])
def test_every_usual_format_is_read(mode):
    with speech_server("good") as good, speech_server(mode) as url:
        plain = spoken_already(voice(good)).speak(LINE, 110).wave
        wave = spoken_already(voice(url)).speak(LINE, 110).wave
        assert wave.rate == (48_000 if mode == "opus" else plain.rate)
        assert articulation(wave) > 0.5
        if mode == "stream":
            assert wave.samples.tobytes() == plain.samples.tobytes()


@pytest.mark.parametrize(
    ("mode", "says", "requests"),
    [
        ("500", r"failed \(500\): Internal Server Error; wait a little", 3),
        ("429", r"too busy \(429\), and asks for 7200 s", 1),
        ("cut", "broke off its answer", 3),
        ("cut-wav", r"ends before it is whole", 1),
        ("html", r"not a sound that can be read \(text/html\): Welcome to the router; check url", 1),
        ("json-error", r"refused this \(400\): model xyz is not loaded; check model", 1),
        ("wrong-format", r"not a sound that can be read \(audio/wav\)", 1),
        ("empty", "is empty", 1),
        ("silence", "has no sounds for this sentence", 1),
        ("huge", "sent more than 1 MB", 1),
        ("redirect", r"sends its callers elsewhere \(307\)", 1),
        ("204", r"is empty", 1),
        ("418", r"refused this \(418\)", 1),
    ],
)
def test_whatever_a_server_does_is_told_with_what_to_do(monkeypatch, mode, says, requests):
    monkeypatch.setattr(request, "MOST_BYTES", 1_000_000)
    with speech_server(mode) as url:
        with pytest.raises(VoiceError, match=says) as caught:
            spoken_already(voice(url, key=KEY, timeout=5)).speak(LINE, 110)
        assert caught.value.hint
        assert "Zebulon" not in str(caught.value)
        assert len(url.requests) == requests


@pytest.mark.parametrize("mode", ["500-then-good", "429-then-good", "cut-then-good"])
def test_a_fault_that_passes_is_forgiven(mode):
    with speech_server(mode) as url:
        assert stretches(spoken_already(voice(url)).speak(LINE, 110).wave)
        assert len(url.requests) == 2


@pytest.mark.parametrize("mode", ["never", "drip", "drip-headers"])
def test_no_server_holds_a_line_for_longer_than_the_timeout(mode):
    with speech_server(mode) as url:
        start = time.monotonic()
        with pytest.raises(VoiceError, match=r"did not send a whole line within 0.3 s; .*longer timeout"):
            spoken_already(voice(url, timeout=0.3)).speak(LINE, 110)
        assert time.monotonic() - start < 2


def test_a_timeout_covers_all_tries(monkeypatch):
    monkeypatch.setattr(request, "PAUSES", (5.0, 5.0))
    with speech_server("500") as url:
        ours = spoken_already(voice(url, timeout=0.5))
        start = time.monotonic()
        with pytest.raises(VoiceError, match="failed"):
            ours.speak(LINE, 110)
        assert time.monotonic() - start < 2


def test_a_server_that_is_not_there():
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
        with pytest.raises(VoiceError, match="cannot be reached; start it, or check url"):
            voice(url).speak(LINE, 110)


def test_a_server_that_speaks_no_http():
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer():
            for _ in range(3):
                connection, _ = server.accept()
                with connection:
                    connection.sendall(b"220 smtp.example ESMTP " + connection.recv(65536))

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(VoiceError, match="broke off its answer") as caught:
            spoken_already(voice(f"http://127.0.0.1:{server.getsockname()[1]}")).speak(LINE, 110)
        thread.join()
        assert "Zebulon" not in str(caught.value)
        assert caught.value.__suppress_context__


@pytest.mark.parametrize("text", ["", "…", " \n\0 "])
def test_what_cannot_be_spoken_is_sent_nowhere(text):
    with speech_server() as url:
        with pytest.raises(VoiceError, match="nothing in this line"):
            voice(url).speak(Utterance(text), 110)
        assert url.requests == []


# The key, and where it goes.


def test_a_key_is_shown_and_nothing_tells_it(caplog):
    caplog.set_level(logging.DEBUG)
    with speech_server(key=KEY) as url:
        ours = spoken_already(voice(url, key=KEY))
        ours.speak(LINE, 110)
        assert url.requests[0]["headers"]["Authorization"] == f"Bearer {KEY}"
        assert KEY not in repr(vars(ours)) + ours.fingerprint + ours.name + repr(ours) + caplog.text
        with pytest.raises(VoiceError, match=r"does not let us in \(401\); check key") as caught:
            spoken_already(voice(url, key="sk-wrong-wrong")).speak(LINE, 110)
        assert "wrong-wrong" not in str(caught.value)


def test_an_error_that_repeats_everything_tells_neither_line_nor_key():
    with speech_server("echo") as url:
        with pytest.raises(VoiceError) as caught:
            spoken_already(voice(url, key=KEY)).speak(LINE, 110)
        for secret in (KEY, KEY[3:], "zebulon", "ease"):
            assert secret not in str(caught.value).lower()
        assert "cannot speak" in str(caught.value)


def test_the_environment_comes_first_and_a_key_stays_with_its_address(monkeypatch):
    with speech_server() as ours, speech_server() as theirs:
        monkeypatch.setenv("METTA_HTTP_URL", ours)
        spoken_already(voice(theirs, key=KEY)).speak(LINE, 110)
        assert theirs.requests == []
        assert "Authorization" not in ours.requests[0]["headers"]
        monkeypatch.setenv("METTA_HTTP_KEY", "sk-of-the-environment")
        spoken_already(voice(theirs, key=KEY)).speak(LINE, 110)
        assert ours.requests[1]["headers"]["Authorization"] == "Bearer sk-of-the-environment"
        monkeypatch.delenv("METTA_HTTP_KEY")
        spoken_already(voice(ours, key=KEY)).speak(LINE, 110)
        assert ours.requests[2]["headers"]["Authorization"] == f"Bearer {KEY}"


def test_a_key_travels_only_where_nobody_reads_it():
    assert (
        'would travel to tts.example.org for everyone to read; write the address with "https:"'
        in engine("http://tts.example.org", key=KEY).problem()
    )
    assert engine("http://tts.example.org").problem() == ""
    assert engine("https://tts.example.org", key=KEY).problem() == ""
    assert engine("http://127.0.0.1:8880", key=KEY).problem() == ""
    for wrong in ("two words", "sk-\nHost: x", "schlüssel"):
        assert "copy it again" in engine("http://127.0.0.1", key=wrong).problem()
        assert wrong not in engine("http://127.0.0.1", key=wrong).problem()


def test_a_redirect_takes_the_text_nowhere():
    with speech_server() as other, speech_server("redirect", target=other) as url:
        with pytest.raises(VoiceError, match="elsewhere"):
            spoken_already(voice(url)).speak(LINE, 110)
        assert other.requests == []


def test_no_proxy_stands_before_this_machine(monkeypatch):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    with speech_server() as url:
        assert stretches(spoken_already(voice(url)).speak(LINE, 110).wave)


# The address.


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8880",
        "http://127.0.0.1:8880/v1",
        "http://127.0.0.1:8880/v1/",
        "http://127.0.0.1:8880/v1/audio/speech",
    ],
)
def test_an_address_may_end_where_it_likes(url):
    assert engine(url).open("", "en").fingerprint == engine("http://127.0.0.1:8880/").open("", "en").fingerprint
    assert "http://127.0.0.1:8880/v1/audio/speech " in engine(url).open("", "en").fingerprint


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1", "http://127.9.9.9:1/tts", "http://LOCALHOST:8880", "https://[::1]:8880/v1"]
)
def test_private_work_may_be_spoken_on_this_machine(url):
    ours = engine(url, private=True)
    assert ours.problem() == ""
    assert ours.open("", "en").name == "http:alloy"
    assert "on this machine" in ours.voices()[0].summary


@pytest.mark.parametrize(
    "url",
    [
        "https://api.openai.com/v1",
        "http://127.0.0.1.example.com",
        "http://localhost.example.com",
        "http://192.168.1.5:8880",
        "http://0.0.0.0:8880",
        "http://[::ffff:10.0.0.1]",
        "http://2130706433",
        "http://0x7f.1",
        "http://127.1",
        "http://[fe80::1]",
    ],
)
def test_private_work_goes_to_no_other_machine(url):
    ours = engine(url, private=True)
    assert "this work is private" in ours.problem()
    assert "127.0.0.1" in ours.problem()
    with pytest.raises(VoiceError, match="private"):
        ours.open("", "en")
    with pytest.raises(VoiceError, match="private"):
        open_voice(find_engines(Setup(tables={"http": {"url": url}}, private=True)), "http", "en")
    assert list(ours.voices()) == []
    assert engine(url).problem() == ""


@pytest.mark.parametrize(
    "url",
    [
        "http://me:hunter2@127.0.0.1",
        "http://127.0.0.1:80@evil.example",
        "http://evil.example\\@127.0.0.1",
        "http://127.0.0.1/?x=hunter2",
        "http://127.0.0.1#hunter2",
        "http://127.0.0.1:99999",
        "http://127.0.0.1%2f.evil.example",
        "http://exa mple.org",
        "http://ex\u0430mple.org",
        "http://[fe80::1%25eth0]",
        "http:///v1",
        "ftp://127.0.0.1",
        "file:///etc/passwd",
        "127.0.0.1:8880",
    ],
)
def test_an_address_that_can_be_read_in_two_ways_is_none(url):
    problem = engine(url).problem()
    assert "the address of the speech server" in problem
    assert ";" in problem
    assert "hunter2" not in problem
    with pytest.raises(VoiceError):
        engine(url).open("", "en")


def test_without_an_address_it_says_what_to_write():
    assert 'settings.toml: [http] and under it url = "http://127.0.0.1:8880/v1"' in engine().problem()
    assert list(engine().voices()) == []
    with pytest.raises(VoiceError, match="no speech server is set up"):
        engine().open("", "en")


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ({"vioces": ["a"]}, 'has no "vioces"; did you mean "voices"'),
        ({"voices": "a"}, r"voices = \["),
        ({"voices": [1]}, r"voices = \["),
        ({"timeout": 0}, "timeout = 120"),
        ({"timeout": True}, "timeout = 120"),
        ({"timeout": float("nan")}, "timeout = 120"),
        ({"key": 123456789}, "key = "),
        ({"languages": "en"}, r"languages = \["),
    ],
)
def test_wrong_settings_are_named_without_their_values(table, says):
    ours = engine("http://127.0.0.1", **table)
    with pytest.raises(VoiceError, match=says):
        ours.open("", "en")
    assert "123456789" not in ours.problem()


# The voices.


def test_voices_are_those_of_the_settings():
    ours = engine("https://tts.example.org", voices=["ann", "bob"], languages=["en-US", "de"])
    assert [info.name for info in ours.voices()] == ["http:ann", "http:bob"]
    info = ours.voices()[0]
    assert (info.languages, info.quality, info.installed, info.problem) == (("en-us", "de"), "own", True, "")
    assert "your text goes there" in info.summary
    assert list(ours.cast("bob", "en", 3)) == ["bob", "ann", "bob"]
    assert ours.open("bob", "de-at").name == "http:bob"
    with pytest.raises(VoiceError, match=r'no voice "bib"; did you mean "bob"\?'):
        ours.open("bib", "en")
    with pytest.raises(VoiceError, match='does not speak "fr"'):
        open_voice({"http": ours}, "http", "fr")
    # Without a list any name is for the server to know.
    assert engine("https://tts.example.org").open("nova", "fi").name == "http:nova"


def test_a_fingerprint_holds_what_changes_the_sound():
    prints = {
        engine(url, **table).open(name, language).fingerprint
        for url, table, name, language in [
            ("http://127.0.0.1:1", {}, "", "en"),
            ("http://127.0.0.1:2", {}, "", "en"),
            ("http://127.0.0.1:1", {"model": "other"}, "", "en"),
            ("http://127.0.0.1:1", {}, "nova", "en"),
            ("http://127.0.0.1:1", {}, "", "de"),
        ]
    }
    assert len(prints) == 5


def test_before_a_line_is_spoken_no_network_is_asked(monkeypatch):
    def forbidden(*args, **kwargs):
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket, "getaddrinfo", forbidden)
    monkeypatch.setattr(socket.socket, "connect", forbidden)
    ours = engine("http://localhost:8880", private=True)
    assert ours.problem() == ""
    assert ours.voices()
    assert ours.cast("", "en", 2)
    assert ours.open("", "en").fingerprint


# Where a fault is written.

AT_TABLE, AT_URL, AT_KEY = (Place("settings.toml", number) for number in (2, 3, 4))


def refused(setup):
    with pytest.raises(VoiceError) as caught:
        open_voice(find_engines(setup), "http", "en")
    return caught.value


def written(url, key="", *, private=False):
    places = {("http",): AT_TABLE, ("http", "url"): AT_URL, **({("http", "key"): AT_KEY} if key else {})}
    return Setup(tables={"http": {"url": url, **({"key": key} if key else {})}}, places=places, private=private)


@pytest.mark.parametrize(
    ("setup", "place"),
    [
        (written("nonsense"), AT_URL),
        (written("http://192.168.1.5:8880", private=True), AT_URL),
        (written("http://192.168.1.5:8880", KEY, private=True), AT_URL),
        (written("http://192.168.1.5:8880", KEY), AT_KEY),
        (written("http://127.0.0.1", "a b"), AT_KEY),
    ],
)
def test_an_error_stands_where_the_fault_is_written_and_says_so_once(setup, place):
    error = refused(setup)
    assert error.place == place
    assert error.what.startswith('the voice "http" cannot be used: ')
    assert str(error).startswith(f"{place}: {error.what}")
    assert str(error).count("settings.toml:3") + str(error).count("settings.toml:4") == 1


@pytest.mark.parametrize(
    ("url", "says"), [("nonsense", "METTA_HTTP_URL=http://127.0.0.1:8880"), ("http://192.168.1.5", "use a server on")]
)
def test_an_address_of_the_environment_is_blamed_by_its_name(monkeypatch, url, says):
    monkeypatch.setenv("METTA_HTTP_URL", url)
    error = refused(written("http://127.0.0.1", private=True))
    assert error.place is None
    assert "METTA_HTTP_URL in the environment: " in error.what
    assert says in str(error)
    assert "settings.toml" not in str(error)


def test_a_key_of_the_environment_is_blamed_by_its_name(monkeypatch):
    monkeypatch.setenv("METTA_HTTP_KEY", "hunter 2")
    error = refused(written("http://127.0.0.1"))
    assert error.place is None
    assert "METTA_HTTP_KEY in the environment: the key" in error.what
    assert "hunter" not in str(error)


def test_an_address_of_the_environment_needs_none_of_the_settings(monkeypatch):
    monkeypatch.setenv("METTA_HTTP_URL", "http://127.0.0.1:1")
    assert HttpEngine(written("nonsense", KEY)).problem() == ""
