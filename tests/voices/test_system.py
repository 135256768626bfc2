from __future__ import annotations

import json
import re
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import espeakng_loader
import pytest

from metta_audio.errors import VoiceError
from metta_audio.script.model import Span
from metta_audio.speech.activity import articulation, stretches
from metta_audio.speech.voice import Setup, Utterance, is_concurrent
from metta_audio.speech.words import word_ranges
from metta_audio.voices import process, system, system_process
from metta_audio.voices.process import Ended
from metta_audio.voices.system import SystemEngine

LINE = Utterance("May Zebulon be at ease.")
PASSAGE = Utterance(
    "Let your shoulders be heavy now. Notice the breath where it is easiest to feel, at the nose, the chest or the "
    "belly. When the mind wanders, come back kindly. There is nothing else to do."
)
ENGINE = SystemEngine(Setup())

linux = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the system's own voices answer")


@pytest.fixture(autouse=True)
def forget_voices():
    system._listing.cache_clear()
    yield
    system._listing.cache_clear()


def answering(monkeypatch, answer, *, problem="", complaint=""):
    """A child process that ends so, having left ``answer``; gives what it was asked."""
    asked = []

    def run(command, folder, **options):
        asked.append(json.loads(options["asked"]))
        if answer is not None:
            folder.joinpath(system_process.ANSWER).write_text(answer)
        return Ended(problem, complaint)

    monkeypatch.setattr(process, "run", run)
    return asked


@pytest.mark.parametrize(
    ("answer", "ended", "says"),
    [
        (None, {"problem": "did not end within 20 s"}, "did not end within 20 s"),
        (None, {"problem": "crashed (SIGSEGV)"}, "crashed (SIGSEGV)"),
        (None, {"problem": "failed (status 1)", "complaint": "RuntimeError: no eSpeak"}, "1): RuntimeError: no eSpeak"),
        (None, {"problem": "cannot be started (no memory)"}, "no memory"),
        (None, {}, "gave no answer"),
        ("half an ans", {}, "gave no answer"),
        ('{"voices": [], "engine": ""}', {}, "has no voices"),
    ],
)
def test_whatever_a_system_engine_does_is_told_not_thrown(monkeypatch, answer, ended, says):
    asked = answering(monkeypatch, answer, **ended)
    assert says in ENGINE.problem()
    assert "use the voice espeak" in ENGINE.problem()
    assert list(ENGINE.voices()) == []
    assert len(asked) == 1  # one that hangs is not asked again


def listing(*voices, engine="espeak 1"):
    return json.dumps({"voices": voices, "engine": engine})


VOICES = listing(["one", "en-us"], ["two", "de"], ["three", "en-gb"], ["four", ""])


def test_voices_are_chosen_by_language(monkeypatch):
    answering(monkeypatch, VOICES)
    assert ENGINE.open("", "en-gb").name == "system:three"
    assert ENGINE.open("", "de-at").name == "system:two"
    assert ENGINE.open("one", "de").name == "system:one"
    assert list(ENGINE.cast("three", "en-us", 4)) == ["three", "one", "four", "three"]
    assert [info.languages for info in ENGINE.voices()] == [("en-us",), ("de",), ("en-gb",), ()]


def test_what_the_system_has_is_asked_once_for_all_runs(monkeypatch, tmp_path):
    asked = answering(monkeypatch, VOICES)
    first = SystemEngine(Setup(kept=tmp_path / "cache")).open("", "en-gb")
    assert len(asked) == 1
    system._listing.cache_clear()  # another run
    engine = SystemEngine(Setup(kept=tmp_path / "cache"))
    assert engine.glance("", "en-gb") == "system:three"
    assert list(engine.cast("", "en-gb", 2)) == ["three", "one"]
    again = engine.open("three", "en-gb")
    assert (again.name, again.fingerprint) == (first.name, first.fingerprint)
    assert (engine.glance("five", "en-gb"), engine.glance("two", "en-gb")) == ("", "")
    assert len(asked) == 1
    with pytest.raises(VoiceError, match='no voice "five"'):
        engine.open("five", "en-gb")
    assert len(asked) == 2, "before it is said that there is none, the system is asked"


def test_only_of_this_very_system_is_anything_kept(monkeypatch, tmp_path):
    asked = answering(monkeypatch, VOICES)
    SystemEngine(Setup(kept=tmp_path)).open("", "en-gb")
    file = tmp_path / system._KEPT
    assert list(tmp_path.iterdir()) == [file]
    monkeypatch.setattr(system, "_release", lambda: "another")
    assert SystemEngine(Setup(kept=tmp_path)).glance("", "en-gb") == ""
    monkeypatch.undo()
    for damaged in ("", "{", "[]", '{"machine": 1}', file.read_text()[:-9]):
        file.write_text(damaged)
        assert SystemEngine(Setup(kept=tmp_path)).glance("", "en-gb") == ""
    assert len(asked) == 1


def test_another_engine_than_was_kept_speaks_nothing_under_its_name(monkeypatch, tmp_path):
    answering(monkeypatch, VOICES)
    engine = SystemEngine(Setup(kept=tmp_path))
    engine.problem()
    system._listing.cache_clear()
    asked = answering(monkeypatch, listing(["one", "en-us"], engine="espeak 2"))
    with pytest.raises(VoiceError, match="another than it was; run this once more"):
        engine.open("", "en-us").speak(LINE, 110)
    assert len(asked) == 1
    system._listing.cache_clear()
    assert " espeak 2 one " in SystemEngine(Setup(kept=tmp_path)).open("", "en-us").fingerprint
    assert len(asked) == 1


def test_unknown_voices_and_languages_are_errors(monkeypatch):
    answering(monkeypatch, listing(["one", "en-us"]))
    with pytest.raises(VoiceError, match=r'no voice "on"; did you mean "one"\?'):
        ENGINE.open("on", "en-us")
    with pytest.raises(VoiceError, match='no voice for "fi"'):
        ENGINE.open("", "fi")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "wrote no sound"),
        (b"", "is empty"),
        (b"no sound at all", "is not a sound that can be read"),
        (
            b"RIFF\x24\x10\0\0WAVEfmt \x10\0\0\0\1\0\1\0\x22\x56\0\0\x44\xac\0\0\2\0\x10\0data\0\x10\0\0abcd",
            "before it is whole",
        ),
    ],
)
def test_a_file_that_is_not_whole_is_no_speech(monkeypatch, content, says):
    answering(monkeypatch, VOICES)
    voice = ENGINE.open("", "en-us")

    def run(command, folder, **options):
        folder.joinpath(system_process.ANSWER).write_text("true")
        if content is not None:
            folder.joinpath(system_process.SOUND).write_bytes(content)
        return Ended()

    monkeypatch.setattr(process, "run", run)
    with pytest.raises(VoiceError, match=says) as caught:
        voice.speak(LINE, 110)
    assert caught.value.hint


def test_a_fingerprint_changes_with_the_engine_and_with_the_system_that_it_is_part_of(monkeypatch):
    def fingerprint(engine, platform="linux", release="1"):
        system._listing.cache_clear()
        answering(monkeypatch, listing(["one", "en-us"], engine=engine))
        monkeypatch.setattr(system.sys, "platform", platform)
        monkeypatch.setattr(system.platform, "version", lambda: release)
        monkeypatch.setattr(system.platform, "mac_ver", lambda: (release, ("", "", ""), ""))
        return ENGINE.open("one", "en-us").fingerprint

    assert fingerprint("espeak 1.51") == fingerprint("espeak 1.51", release="another kernel")
    prints = [fingerprint("espeak 1.51"), fingerprint("espeak 1.52")]
    prints += [fingerprint("its own", name, release) for name in ("win32", "darwin") for release in ("10", "11")]
    assert len(set(prints)) == 6


def test_an_error_does_not_repeat_the_line(monkeypatch):
    answering(monkeypatch, VOICES)
    voice = ENGINE.open("", "en-us")
    answering(monkeypatch, None, problem="failed (status 1)", complaint="cannot say May Zebulon be at ease")
    monkeypatch.setattr(system, "calibrate", lambda *_: system.Calibration((80, 220), (80, 220)))
    with pytest.raises(VoiceError, match=r"failed \(status 1\): cannot say …") as caught:
        voice.speak(LINE, 110)
    assert "Zebulon" not in str(caught.value)


def test_what_a_system_would_obey_is_not_said_to_it(monkeypatch):
    answering(monkeypatch, VOICES)
    voice = ENGINE.open("", "en-us")
    monkeypatch.setattr(system, "calibrate", lambda *_: system.Calibration((80, 220), (80, 220)))
    asked = answering(monkeypatch, "true")
    spans = (Span(4, 9, "sub", "meh\0ta"), Span(0, 3, "slow"))
    with pytest.raises(VoiceError, match="wrote no sound"):
        voice.speak(Utterance("The metta <silence/> [[slnc 900]] now.", spans), 110)
    assert asked == [{"voice": "one", "rate": 110, "text": "The meh ta silence/ slnc 900 now."}]
    with pytest.raises(VoiceError, match="nothing in this line"):
        voice.speak(Utterance("<[[ ]]>"), 110)
    assert len(asked) == 1


def test_a_file_that_never_comes_is_not_waited_for_long(monkeypatch, tmp_path):
    monkeypatch.setattr(system_process, "_GRACE", 0.1)
    assert not system_process._finished(tmp_path / "nothing.wav")
    tmp_path.joinpath("whole.wav").write_bytes(b"whole")
    assert system_process._finished(tmp_path / "whole.wav")


@pytest.mark.parametrize(
    ("languages", "language"),
    [(None, ""), ([], ""), ([b"\x05en-us"], "en-us"), (["en_GB"], "en-gb"), ([b"\x02\xffde"], "de")],
)
def test_languages_are_read_as_drivers_write_them(languages, language):
    assert system_process._language(languages) == language


# A false pyttsx3 with the faults of the true one, in the place where the child finds it.

DRIVER = """
import os, subprocess, sys, time, types
class Engine:
    def __init__(self): self.listeners, self.set = [], {}
    def connect(self, topic, listener): self.listeners.append((topic, listener))
    def getProperty(self, name):
        if name == "voices": return [types.SimpleNamespace(id="one", languages=["en-us"])]
        return self.set[name]
    def setProperty(self, name, value): self.set[name] = value
    def save_to_file(self, text, file): self.text, self.file = text, file
    def runAndWait(self):
        print("Audio saved"); sys.stderr.write("warning\\n")
        BODY
def init(): return Engine()
"""


@pytest.fixture
def driver(monkeypatch, tmp_path):
    def install(body):
        tmp_path.joinpath("pyttsx3.py").write_text(DRIVER.replace("BODY", body))
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))
        monkeypatch.setattr(system, "calibrate", lambda *_: system.Calibration((80, 220), (80, 220)))
        return ENGINE.open("one", "en-us")

    return install


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (
            "raise RuntimeError('run loop already started')",
            r"failed \(status 1\): RuntimeError: run loop already started",
        ),
        ("raise RuntimeError('cannot say ' + self.text)", r"failed \(status 1\): RuntimeError: cannot say …"),
        ("os.abort()", r"crashed \(SIGABRT\)|failed"),
        ("os._exit(0)", "gave no answer"),
        ("self.set['voice'] = 'another'; open(self.file, 'wb').write(b'x')", "took another voice"),
        ("[each(exception=ValueError()) for _, each in self.listeners[:1]]", "failed with ValueError"),
        ("time.sleep(60)", "did not end within 1 s"),
    ],
)
def test_no_fault_of_the_driver_hurts_us(driver, monkeypatch, capfd, body, says):
    monkeypatch.setattr(system, "_PATIENCE", 1.0)
    voice = driver(body)
    with pytest.raises(VoiceError, match=says) as caught:
        voice.speak(LINE, 110)
    assert "Zebulon" not in str(caught.value)
    assert capfd.readouterr() == ("", "")


@pytest.mark.skipif(sys.platform == "win32", reason="process groups of POSIX")
def test_a_driver_that_hangs_is_stopped_with_its_children(driver, monkeypatch, tmp_path):
    monkeypatch.setattr(system, "_PATIENCE", 1.0)
    beat = tmp_path / "beat"
    child = f"import time\nwhile True: open({str(beat)!r}, 'a').write('x'); time.sleep(0.02)"
    voice = driver(f"subprocess.Popen([sys.executable, '-S', '-c', {child!r}]); time.sleep(60)")
    with pytest.raises(VoiceError, match="did not end"):
        voice.speak(LINE, 110)
    size = beat.stat().st_size
    time.sleep(0.2)
    assert beat.stat().st_size == size > 0


def test_no_module_that_lies_where_the_user_works_is_run(monkeypatch, tmp_path):
    ran = tmp_path / "ran"
    for name in ("json", "pyttsx3", "ctypes"):
        tmp_path.joinpath(f"{name}.py").write_text(f"open({str(ran)!r}, 'w')")
    monkeypatch.chdir(tmp_path)
    ENGINE.voices()
    assert not ran.exists()


def test_no_module_of_ours_stands_in_for_one_of_pythons(driver):
    with pytest.raises(VoiceError, match="what the system's speech engine wrote is not a sound"):
        driver("import http.client; open(self.file, 'wb').write(b'no sound')").speak(LINE, 110)


# The true one.


def speaks(voice):
    speech = voice.speak(Utterance("May I be safe, Zoë, and well."), 130)
    assert stretches(speech.wave)
    assert speech.words == ()
    return speech.wave.samples.tobytes()


@linux
def test_the_system_speaks_in_a_process_of_its_own(require_program):
    require_program("espeak-ng")
    assert ENGINE.problem() == ""
    voice = ENGINE.open("", "en-us")
    assert re.search(r" espeak \d+\.\d+", voice.fingerprint)
    assert is_concurrent(voice)
    with ThreadPoolExecutor(2) as pool:
        assert len(set(pool.map(speaks, [voice, ENGINE.open("", "en-us"), voice]))) == 1


@pytest.mark.slow
@linux
@pytest.mark.parametrize("rate", [84, 110, 160])
def test_the_system_speaks_at_the_rate_that_was_asked_for(require_program, rate):
    require_program("espeak-ng")
    speech = ENGINE.open("", "en-us").speak(PASSAGE, rate)
    heard = len(word_ranges(PASSAGE.text)) * 60 / articulation(speech.wave)
    assert heard == pytest.approx(rate, rel=0.1)


NO_ESPEAK = """
import ctypes
class Without(ctypes.CDLL):
    def __init__(self, name, *args, **options):
        if name in {"libespeak-ng.so.1", "libespeak.so.1"} or "/usr/local" in str(name):
            raise OSError(f"{name}: cannot open shared object file")
        open(SEEN, "a").write(f"{name}\\n")
        super().__init__(name, *args, **options)
ctypes.CDLL = Without
ctypes.cdll = ctypes.LibraryLoader(Without)
"""


@linux
@pytest.mark.parametrize("depth", [0, 20])
def test_where_the_system_has_no_espeak_the_bundled_one_speaks(monkeypatch, tmp_path, depth):
    seen = tmp_path / "seen"
    tmp_path.joinpath("sitecustomize.py").write_text(NO_ESPEAK.replace("SEEN", repr(str(seen))))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("ESPEAK_DATA_PATH", "/nowhere")
    if depth:  # deeper than eSpeak can take
        data = tmp_path.joinpath(*["environment"] * depth, "espeak-ng-data")
        data.parent.mkdir(parents=True)
        data.symlink_to(espeakng_loader.get_data_path())
        stand_in = (
            f"get_library_path = lambda: {espeakng_loader.get_library_path()!r}\nget_data_path = lambda: {str(data)!r}"
        )
        tmp_path.joinpath("espeakng_loader.py").write_text(stand_in)
    assert ENGINE.problem() == ""
    voice = ENGINE.open("", "en-us")
    assert speaks(voice) == speaks(ENGINE.open("", "en-us"))
    assert set(filter(str.strip, seen.read_text().splitlines())) >= {espeakng_loader.get_library_path()}
