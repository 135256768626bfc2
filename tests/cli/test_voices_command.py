"""``metta voices``: what there is, what can be had, and fetching, hearing and removing one."""

from __future__ import annotations

import hashlib
import json
import socket
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from metta_audio.rendering.voices import CODE
from metta_audio.sound.wave import Wave
from metta_audio.speech.voice import Speech
from metta_audio.units import Hertz
from metta_audio.voices.tone import ToneEngine, ToneVoice

Run = Callable[..., Any]

HEADS = ["name", "language", "quality", "licence", "size", "state", "what it is, or lacks"]


def rows(out: str) -> dict[str, list[str]]:
    table = [line.split("\t") for line in out.splitlines()]
    assert table[0] == HEADS
    assert all(len(row) == len(HEADS) for row in table)
    return {row[0]: row for row in table[1:]}


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """The folder of fetched voices."""
    (tmp_path / "settings.toml").write_text(f'user = "{(tmp_path / "own").as_posix()}"\n')
    folder = tmp_path / "own" / "voices"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def catalogue(kept: Path, tmp_path: Path) -> Iterator[Path]:
    """Three voices of a user's own catalogue, in files that this machine serves; two of them in the same file."""
    files = tmp_path / "served"
    files.mkdir()
    for name in ("a.onnx", "b.onnx"):
        (files / name).write_bytes(name.encode() * 100)

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *args: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(files))) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        base = f"http://127.0.0.1:{server.server_port}"
        text = "\n".join(
            f'[[set]]\nengine = "piper"\nlicence = "CC0"\nvoices = [{{ names = "{names}", languages = ["eo"] }}]\n'
            f'files = [{{ url = "{base}/{file}", file = "{file}", bytes = 600 }}]'
            for names, file in (("eo-one", "a.onnx"), ("eo-two eo-three", "b.onnx"))
        )
        (kept / "voices.toml").write_text(text, encoding="utf-8")
        yield kept / "piper"
        server.shutdown()
        thread.join()


def test_the_list_tells_of_each_what_it_is_what_it_costs_and_whether_it_is_here(run: Run) -> None:
    found = rows(run("voices").out)
    assert found["piper:en_US-ljspeech-high"][1:6] == ["en-us", "natural", "public domain", "114 MB", "to fetch"]
    assert found["kokoro:…"][1:6] == ["en, es, fr, hi, it, pt", "natural", "Apache-2.0", "354 MB", "to fetch"]
    assert found["kokoro:…"][6] == "metta voices --engine kokoro lists these 41"
    every = rows(run("voices", "--engine", "kokoro").out)
    assert every["kokoro:af_heart"][1:6] == ["en-us", "natural", "Apache-2.0", "354 MB", "to fetch"]
    assert found["silent"][5] == "here"
    assert found["http"][5] == "not usable"
    assert found["http"][6].startswith("no speech server is set up")


def test_the_many_languages_of_espeak_are_one_row_and_auto_is_marked(run: Run) -> None:
    found = rows(run("voices").out)
    assert not any(name.startswith("espeak:") and name != "espeak:…" for name in found)
    assert found["espeak:…"][1].endswith(" languages")
    assert int(found["espeak:…"][1].split()[0]) > 100
    assert found["espeak:…"][5:] == ["here, auto", "auto takes espeak:en-us"]


def test_better_voices_come_first(run: Run) -> None:
    listed = json.loads(run("voices", "--json").out)["voices"]
    order = ["human", "natural", "system", "own", "formant", "test", ""]
    keys = [(order.index(voice["quality"]), voice["languages"], voice["name"]) for voice in listed]
    assert keys == sorted(keys)
    names = [voice["name"] for voice in listed]
    assert len(set(names)) == len(names)
    assert "espeak:de" in names  # programs get all


def test_voices_of_one_language_whatever_the_region(run: Run) -> None:
    record = run("voices", "--language", "pt", "--json").json
    assert record["schema"] == "metta_audio.voices/1"
    spoken = {voice["name"]: voice for voice in record["voices"]}
    assert {"piper:pt_BR-faber-medium", "kokoro:pf_dora", "espeak:pt", "espeak:pt-br"} <= set(spoken)
    assert all(not voice["languages"] or voice["languages"][0].startswith("pt") for voice in record["voices"])
    assert [name for name, voice in spoken.items() if voice["auto"]] == ["espeak:pt"]


def test_voices_of_one_engine_and_voices_that_can_speak(run: Run) -> None:
    assert len(rows(run("voices", "--engine", "espeak").out)) > 100
    here = rows(run("voices", "--installed").out)
    assert "silent" in here
    assert {row[5] for row in here.values()} <= {"here", "here, auto"}
    assert "did you mean" in run("voices", "--engine", "pipper").complaint()


PIP = 'not installed: pip install "metta-audio[piper]"'


@pytest.fixture
def without_piper(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where the extra was not installed."""
    from metta_audio.voices.piper.engine import PiperEngine

    monkeypatch.setattr(PiperEngine, "problem", lambda self: PIP)


@pytest.mark.usefixtures("without_piper")
def test_voices_of_an_engine_that_cannot_run_are_listed_with_both_steps(run: Run) -> None:
    listed = {voice["name"]: voice for voice in run("voices", "--json").json["voices"]}
    piper = [voice for voice in listed.values() if voice["engine"] == "piper"]
    assert len(piper) > 15
    assert "piper" not in listed
    for voice in piper:
        assert voice["problem"] == f"{PIP}, then: metta voices get {voice['name']}"
        assert (voice["installed"], voice["fetchable"], voice["engine_problem"]) == (False, False, PIP)
        assert voice["licence"]
        assert voice["bytes"]
    german = {voice["name"] for voice in run("voices", "--language", "de", "--json").json["voices"]}
    assert "piper:de_DE-thorsten-high" in german
    assert len(rows(run("voices", "--engine", "piper").out)) == len(piper)
    assert not run("voices", "--engine", "piper", "--installed", "--json").json["voices"]


@pytest.mark.usefixtures("without_piper")
def test_for_peoples_eyes_they_are_one_row(run: Run) -> None:
    for args in ((), ("--language", "en")):
        out = run("voices", *args).out
        assert out.count(PIP) == 1
        found = rows(out)
        assert [name for name in found if name.startswith("piper")] == ["piper:…"]
        assert found["piper:…"][5] == "not usable"
        assert "then: metta voices get piper:" in found["piper:…"][6]
        assert "metta voices --engine piper lists these" in found["piper:…"][6]
    tongues = rows(run("voices").out)["piper:…"][1].split(", ")
    assert {"de", "en", "ru"} <= set(tongues)
    alone = rows(run("voices", "--language", "it").out)
    assert alone["piper:it_IT-paola-medium"][6] == f"{PIP}, then: metta voices get piper:it_IT-paola-medium"


def test_an_engine_without_any_voice_is_a_row_of_its_own_but_in_no_language(run: Run) -> None:
    assert {"http", "command"} <= set(rows(run("voices").out))
    assert not {"http", "command"} & set(rows(run("voices", "--language", "de").out))


def test_voices_for_tests_speak_no_language_and_are_one_row(run: Run) -> None:
    assert [name for name in rows(run("voices").out) if name.startswith("tone")] == ["tone:…"]
    assert len(rows(run("voices", "--engine", "tone").out)) == 6
    for language in ("de", "en-us"):
        listed = run("voices", "--language", language, "--json").json["voices"]
        assert listed
        assert "test" not in {voice["quality"] for voice in listed}


def test_a_language_that_is_none_and_one_that_nobody_speaks(run: Run) -> None:
    for code in ("xx!!", "e", "de_DE", "de-", "english"):
        assert "is not a language code" in run("voices", "--language", code).complaint()
    ran = run("voices", "--language", "tlh")
    assert (ran.code, ran.out, ran.err) == (0, 'no voice speaks "tlh"\n', "")
    assert run("voices", "--language", "tlh", "--json").json["voices"] == []
    assert run("voices", "--language", "tlh", "--installed").out == 'no voice here speaks "tlh"\n'
    assert rows(run("voices", "--language", " DE ").out).keys() == rows(run("voices", "--language", "de").out).keys()


def test_every_language_of_a_voice_can_be_asked_for(run: Run) -> None:
    listed = run("voices", "--json").json["voices"]
    for language in {language for voice in listed for language in voice["languages"]}:
        assert CODE.fullmatch(language), language


def test_a_small_voice_has_its_size_in_kilobytes(run: Run, catalogue: Path) -> None:
    del catalogue
    assert rows(run("voices", "--language", "eo").out)["piper:eo-one"][4] == "1 kB"


def test_listing_asks_no_network(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object) -> None:
        raise AssertionError("no network was asked for")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert run("voices").code == 0
    assert run("voices", "--language", "de").code == 0


def test_a_voice_is_fetched_listed_and_removed(run: Run, catalogue: Path) -> None:
    assert rows(run("voices", "--language", "eo").out)["piper:eo-one"][5] == "to fetch"
    got = run("voices", "get", "piper:eo-one")
    assert got.code == 0, got.err
    assert got.out.splitlines()[0] == "piper:eo-one"
    assert str(catalogue) in got.out
    assert "licence: CC0" in got.out
    assert "no checksum is known for a.onnx: its size was checked" in got.out
    assert (catalogue / "a.onnx").read_bytes() == b"a.onnx" * 100
    assert "it was here already" in run("voices", "get", "piper:eo-one").out
    gone = run("voices", "remove", "piper:eo-one")
    assert gone.out == f"removed {catalogue / 'a.onnx'}\n"
    assert list(catalogue.iterdir()) == []
    assert "nothing of piper:eo-one is in" in run("voices", "remove", "piper:eo-one").complaint()


def test_a_damaged_voice_is_shown_and_fetched_again(run: Run, catalogue: Path) -> None:
    own = catalogue.parent / "voices.toml"
    digest = f'digest = "sha256:{hashlib.sha256(b"a.onnx" * 100).hexdigest()}"'
    own.write_text(own.read_text().replace('file = "a.onnx", bytes = 600', f'file = "a.onnx", bytes = 600, {digest}'))
    graph = catalogue / "a.onnx"
    run("voices", "get", "piper:eo-one")
    # What a listing sees at a glance, and what only the checksum tells.
    for content, seen in ((b"a.onnx" * 99, True), (b"A.onnx" * 100, False)):
        graph.write_bytes(content)
        if seen:
            row = rows(run("voices", "--language", "eo").out)["piper:eo-one"]
            assert row[5:] == ["damaged", "damaged: metta voices get piper:eo-one fetches it again"]
            listed = run("voices", "--language", "eo", "--json").json["voices"]
            assert {voice["name"] for voice in listed if voice["damaged"]} == {"piper:eo-one"}
        out = run("voices", "get", "piper:eo-one").out
        assert "a.onnx was damaged, and was fetched again" in out
        assert "here already" not in out
        assert graph.read_bytes() == b"a.onnx" * 100
        assert "it was here already" in run("voices", "get", "piper:eo-one").out


def test_voices_in_the_same_files_come_and_go_together(run: Run, catalogue: Path) -> None:
    assert "with it came 1 other voices" in run("voices", "get", "piper:eo-two").out
    assert "metta voices remove piper removes all" in run("voices", "remove", "piper:eo-three").complaint()
    run("voices", "get", "piper:eo-one")
    mine = catalogue / "mine.onnx"
    mine.write_bytes(b"my own model")
    (catalogue / "b.onnx.part").write_bytes(b"left")
    gone = run("voices", "remove", "piper")
    assert sorted(gone.out.splitlines()) == [f"removed {catalogue / name}" for name in ("a.onnx", "b.onnx")]
    assert list(catalogue.iterdir()) == [mine]


def test_a_file_that_another_voice_needs_stays(run: Run, catalogue: Path, tmp_path: Path) -> None:
    (tmp_path / "served" / "c.onnx").write_bytes(b"c.onnx" * 100)
    own = catalogue.parent / "voices.toml"
    text = own.read_text(encoding="utf-8")
    base = text[text.index("http://") : text.index("/a.onnx")]
    both = ", ".join(f'{{ url = "{base}/{name}", file = "{name}", bytes = 600 }}' for name in ("a.onnx", "c.onnx"))
    extra = '\n[[set]]\nengine = "piper"\nlicence = "CC0"\nvoices = [{ names = "eo-both", languages = ["eo"] }]\n'
    own.write_text(f"{text}{extra}files = [{both}]\n", encoding="utf-8")
    run("voices", "get", "piper:eo-both")
    gone = run("voices", "remove", "piper:eo-both").out.splitlines()
    assert gone == [f"removed {catalogue / 'c.onnx'}", f"kept {catalogue / 'a.onnx'}: another voice needs it"]
    assert [path.name for path in catalogue.iterdir()] == ["a.onnx"]
    # A voice that is not whole needs nothing.
    assert run("voices", "remove", "piper:eo-one").out == f"removed {catalogue / 'a.onnx'}\n"


def test_removing_never_leads_out_of_the_folder(run: Run, catalogue: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "a.onnx").write_bytes(b"mine")
    catalogue.symlink_to(elsewhere, target_is_directory=True)
    assert "leads out of" in run("voices", "remove", "piper:eo-one").complaint()
    assert (elsewhere / "a.onnx").read_bytes() == b"mine"


def test_a_voice_is_heard_in_its_own_language(run: Run, home: Path) -> None:
    tried = run("voices", "try", "espeak:de", "--text", "Guten Tag.")
    assert tried.code == 0, tried.err
    assert tried.out.splitlines()[0] == str(Path("output") / "espeak-de.wav")
    assert "of espeak:de in de" in tried.out
    sound, rate = soundfile.read(home / "output" / "espeak-de.wav")
    assert (rate, sound.shape[1]) == (44_100, 2)
    assert 0.3 < len(sound) / rate < 2
    assert abs(sound).max() <= 10 ** (-3 / 20) * 1.001


def test_without_a_text_it_says_a_few_sentences_at_the_rate_asked_for(run: Run, home: Path) -> None:
    for rate in (90, 140):
        assert run("voices", "try", "tone", "--rate", rate, "-o", f"{rate}.flac").code == 0
    slow, quick = (soundfile.info(home / f"{rate}.flac").frames for rate in (90, 140))
    assert 60 * 44_100 > slow > quick > 20 * 44_100
    assert "in fr-fr" in run("voices", "try", "espeak:fr-fr", "--text", "Bonjour.", "-o", "f.mp3").out
    assert "espeak:en-us" in run("voices", "try", "auto", "--text", "Rest.", "-o", "a.mp3").out
    assert "espeak:de" in run("voices", "try", "auto", "--language", "de", "--text", "Ruhe.", "-o", "d.mp3").out
    assert "in de" in run("voices", "try", "espeak:DE", "--text", "Ruhe.", "-o", "u.ogg").out
    assert run("voices", "try", " espeak:de ", "--text", "Ruhe.").out.startswith(str(Path("output") / "espeak-de.wav"))
    assert "in fr-fr" in run("voices", "try", "espeak:fr_FR", "--text", "Calme.", "-o", "c.ogg").out
    assert "in en-gb" in run("voices", "try", "espeak:en-gb+f3", "--text", "Rest.", "-o", "g.ogg").out


MISTAKES = [
    (("get", "piper:en_US-ljspech-high"), 'did you mean "piper:en_US-ljspeech-high"?'),
    (("get", "en_US-ljspeech-high"), 'did you mean "piper:en_US-ljspeech-high"?'),
    (("get", "piper"), "write for example piper:en_US-ljspeech-high"),
    (("get", "espeak:de"), "espeak has nothing to fetch"),
    (("get", "takes:me"), "takes has nothing to fetch, nor to remove"),
    (("get", "nobody"), "metta voices lists those that can"),
    (("remove", "espeak"), "espeak has nothing to fetch, nor to remove"),
    (("remove", "takes"), "takes has nothing to fetch, nor to remove"),
    (("remove", "kokoro:af_heart"), "lies in the same files as 40 other voices"),
    (("remove", "kokoro"), "nothing of kokoro is in"),
    (("try", "espek"), 'did you mean "espeak"?'),
    (("try", "piper:en_US-ljspeech-high"), "metta voices get piper:en_US-ljspeech-high"),
    (("try", "tone", "--rate", "20"), "choose from 60 to 200"),
    (("try", "espeak", "-o", "x.png"), 'unknown format ".png"'),
    (("try", "espeak", "--text", "…"), "nothing in this text that can be spoken"),
    (("try", "espeak", "--text", ""), "there is nothing to say"),
    (("try", "espeak", "--text", " "), "there is nothing to say"),
    (("try", "espeak:de", "--language", "fr"), "does not speak"),
    (("try", "tone", "-o", "s.md"), "unknown format"),
]


@pytest.mark.parametrize(("args", "told"), MISTAKES)
def test_what_cannot_be_done_is_told_in_one_line(run: Run, home: Path, args: tuple[str, ...], told: str) -> None:
    assert told in run("voices", *args).complaint()
    assert not list(home.glob("**/*.wav"))


def test_a_catalogue_at_fault_is_told_with_its_place(run: Run, kept: Path) -> None:
    (kept / "voices.toml").write_text('[[set]]\nengine = "piper"\nlicense = "CC0"\n')
    for command in ((), ("get", "piper:x"), ("remove", "piper:x")):
        assert "voices.toml:1:1" in run("voices", *command).complaint()


@pytest.mark.parametrize("args", [("get",), ("get", "a", "b"), ("try",), ("remove",), ("fetch",), ("--rate", "3")])
def test_wrong_usage_is_told(run: Run, args: tuple[str, ...]) -> None:
    assert "--help" in run("voices", *args).complaint(2)


@pytest.mark.parametrize("method", ["problem", "voices"])
def test_an_engine_that_breaks_is_one_row_and_hides_no_other(
    run: Run, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    def broken(self: object) -> None:
        raise ZeroDivisionError("oh\nno")

    monkeypatch.setattr(ToneEngine, method, broken)
    listed = json.loads(run("voices", "--json").out)["voices"]
    assert any(each["name"] == "espeak:de" and not each["problem"] for each in listed)
    told = {each["problem"] for each in listed if each["engine"] == "tone"}
    assert told == {"metta_audio.voices.tone:ToneEngine fails (ZeroDivisionError: oh no)"}


@pytest.mark.parametrize("sample", [np.nan, 0.0])
def test_a_voice_without_a_usable_sound_is_named_and_nothing_is_written(
    run: Run, monkeypatch: pytest.MonkeyPatch, home: Path, sample: float
) -> None:
    frames = 16_000 if np.isnan(sample) else 0
    speech = Speech(Wave.mono(np.full(frames, sample), Hertz(16_000)))
    monkeypatch.setattr(ToneVoice, "speak", lambda *given: speech)
    told = run("voices", "try", "tone", "--text", "May Zebulon rest.", "-o", "t.wav").complaint()
    assert told.startswith("tone:220 gives no usable sound")
    assert "tone:220 gives no usable sound" in run("render", "s.md", "-o", "s.wav").complaint()
    assert not list(home.glob("**/*.wav"))
