from __future__ import annotations

import shlex
import sys
import textwrap
import time
from pathlib import Path

import pytest

from metta_audio.errors import VoiceError
from metta_audio.script.model import Span
from metta_audio.speech.activity import articulation
from metta_audio.speech.voice import Setup, Utterance, is_concurrent
from metta_audio.speech.words import word_ranges
from metta_audio.voices import process
from metta_audio.voices.command import CommandEngine
from metta_audio.voices.command import engine as command
from metta_audio.voices.command import line as lines
from metta_audio.voices.command.running import runs_text
from metta_audio.voices.registry import find_engines, open_voice

LINE = Utterance("May Zebulon be at ease.")
PASSAGE = Utterance("Let your shoulders be heavy now, and notice the breath where it is easiest to feel.")

SPEAKER = """
    import array, math, sys, wave
    def speak(text, file, rate=150.0):
        # A tone for each word, so that its rate is known.
        step = round(22050 * 60 / rate)
        word = array.array("h", (int(9000 * math.sin(at / 20)) if at < step * 0.85 else 0 for at in range(step)))
        with wave.open(file, "wb") as out:
            out.setnchannels(1), out.setsampwidth(2), out.setframerate(22050)
            out.writeframes((word * len(text.split())).tobytes())
"""

posix = pytest.mark.skipif(sys.platform == "win32", reason="process groups of POSIX")


@pytest.fixture
def program(tmp_path):
    """Write a program that speaks tones and then does ``body``; gives the beginning of its line."""

    def write(body, name="program.py"):
        file = tmp_path / name
        file.write_text(textwrap.dedent(SPEAKER) + textwrap.dedent(body), "utf-8")
        return shlex.join([sys.executable, "-S", str(file)])

    return write


def engine(**table):
    return CommandEngine(Setup(tables={"command": table}))


def voice(line, **more):
    return engine(mine={"line": line, **more} if more else line).open("mine", "en")


def error(line, **more):
    with pytest.raises(VoiceError) as caught:
        voice(line, **more).speak(LINE, 110)
    assert caught.value.hint
    assert "zebulon" not in str(caught.value).lower()
    return str(caught.value)


def heard_rate(speech):
    return len(word_ranges(PASSAGE.text)) * 60 / articulation(speech.wave)


@pytest.mark.parametrize(
    ("body", "rest"),
    [
        ("speak(sys.argv[1], sys.argv[2])", "{text} {out}"),
        ("speak(open(sys.argv[1], encoding='utf-8').read(), sys.argv[2])", "{text_file} {out}"),
        ("speak(sys.stdin.buffer.read().decode(), sys.argv[1][6:])", "--out={out}"),
        ("speak(sys.argv[1], sys.stdout.buffer)", "{text}"),
        ("speak(sys.stdin.buffer.read().decode(), sys.stdout.buffer)", ""),
    ],
)
def test_a_text_goes_in_and_a_sound_comes_out_by_any_way(program, body, rest):
    ours = voice(f"{program(body)} {rest}")
    speech = ours.speak(LINE, 110)
    assert speech.wave.channels == 1
    assert articulation(speech.wave) == pytest.approx(5 * 60 / 150, rel=0.1)
    assert speech.words == ()
    assert is_concurrent(ours)


def test_arguments_are_arguments_whatever_stands_in_a_text(program, tmp_path):
    body = "import json; json.dump(sys.argv[1:], open('{0}', 'w')); speak('a b', sys.argv[1])"
    seen = tmp_path / "seen.json"
    line = program(body.format(seen.as_posix()))
    ours = voice(f'{line} {{out}} {{text}} \'a "b"\' say={{text}} {{{{x}}}} {{language}} "$HOME" ; # |')
    ours.speak(Utterance('$(touch x); "{out}" \'`ls`\n\0 {rate} * Ж'), 110)
    out, text, *rest = __import__("json").loads(seen.read_text())
    assert text == '$(touch x); "{out}" \'`ls` {rate} * Ж'
    assert rest == ['a "b"', f"say={text}", "{x}", "en", "$HOME", ";", "#", "|"]
    assert Path(out).name == "speech.wav"


@pytest.mark.parametrize("sign", ["-", "--", "@", "/", "+"])
def test_no_text_is_taken_for_an_option(program, tmp_path, sign):
    seen = tmp_path / "seen.txt"
    line = program(f"open({str(seen)!r}, 'w').write(sys.argv[2]); speak('a', sys.argv[1])")
    voice(f"{line} {{out}} {{text}}").speak(Utterance(f"{sign}rf is no option"), 110)
    assert seen.read_text() == f" {sign}rf is no option"


@pytest.mark.parametrize(
    "line",
    [
        "sh -c 'flite -t \"{text}\"'",
        "sh -c {text}",
        "sh -c{text}",
        "/bin/bash -x -lc 'flite -t {text} -o {out}'",
        "nice env dash -c 'flite -t {text}'",
        "nice env dash -c {text}",
        "sh -ce \"flite -t '{text}' -o {out}\"",
        "sh -c -- {text}",
        "env bash --norc -c -e {text}",
        "rbash -c {text}",
        "bash -co pipefail {text}",
        "bash -o pipefail -c {text}",
        "fish --command={text}",
        "bash {text_file}",
        "bash",
        "bash -s",
        "python3 -",
        "awk 'BEGIN{{system(\"flite -t {text}\")}}'",
        "awk {text}",
        "python3 -c 'import os; os.system(\"flite -t {text} -o {out}\")'",
        "python3.12 -I -c {text}",
        "perl -e {text}",
        "node --eval {text}",
        "ssh host 'flite -t {text}'",
        "ssh host flite -t {text}",
        "festival -b '(SayText \"{text}\")'",
        "speak ${text}",
        "speak `{text}`",
        "speak --text={text};",
        "cmd /c say {text}",
        "C:/Windows/System32/CMD.EXE /s /k say {text}",
        "powershell -NoProfile -Command Say {text}",
    ],
)
def test_no_text_is_handed_to_what_would_run_it(line):
    says = r"command:mine\" could run what a text says; hand the text over by \{text_file\} or standard input, or let"
    with pytest.raises(VoiceError, match=says):
        voice(line)
    assert "could run" in engine(mine=line).voices()[0].problem


@pytest.mark.parametrize(
    "line",
    [
        "flite -t {text} -o {out}",
        "flite -t{text} --text={text} text={text} --set=a.text:{text} /text:{text}",
        "bash speak.sh -c {text} {out}",
        "bash -o pipefail -c 'speak \"$1\"' {text}",
        "sh -c 'speak \"$1\"' sh {text} {out}",
        "sh -c 'speak > {out}'",
        "espeak-ng -v sh -w {out} {text}",
        "python3 -S speak.py {text}",
        "python3 -m speak -c {text} 'more (text);'",
        "perl speak.pl -e {text}",
        "awk -f speak.awk {text}",
        "nice -n 5 speak {text_file}",
    ],
)
def test_a_text_is_handed_to_any_program_as_an_argument(line):
    assert not runs_text(tuple(shlex.split(line)))


@posix
def test_a_shell_may_hand_a_text_on(tmp_path):
    for way in ('sh -c \'cp "$1" "$2"\' {text} {text_file} {out}', "sh -c 'cat > {out}'"):
        with pytest.raises(VoiceError, match="not a sound that can be read"):
            voice(way).speak(Utterance(f'"; touch {tmp_path}/ran; "'), 110)
    assert not tmp_path.joinpath("ran").exists()


def test_substitutes_are_spoken_and_other_markup_is_not(program, tmp_path):
    seen = tmp_path / "seen.txt"
    line = program(f"open({str(seen)!r}, 'w').write(sys.argv[2]); speak('a', sys.argv[1])")
    spans = (Span(4, 11, "sub", "zeb u lon"), Span(0, 3, "slow"), Span(12, 14, "ipa", "biː"))
    voice(f"{line} {{out}} {{text}}").speak(Utterance(LINE.text, spans), 110)
    assert seen.read_text() == "May zeb u lon be at ease."


@pytest.mark.slow
@pytest.mark.parametrize("rate", [84, 110, 160])
def test_a_program_that_knows_rates_speaks_at_the_one_asked_for(program, rate):
    # Its own words a minute are not ours: that is what measuring is for.
    line = program("speak(sys.argv[1], sys.argv[2], 0.9 * float(sys.argv[3]))")
    assert heard_rate(voice(f"{line} {{text}} {{out}} {{rate}}").speak(PASSAGE, rate)) == pytest.approx(rate, rel=0.1)
    line = program("speak(sys.argv[1], sys.argv[2], 170 / float(sys.argv[3]))", "other.py")
    ours = voice(f"{line} {{text}} {{out}} {{stretch}}")
    assert heard_rate(ours.speak(PASSAGE, rate)) == pytest.approx(rate, rel=0.1)
    assert ours.note == ""


def test_a_program_that_knows_no_rates_speaks_at_its_own_and_it_is_said(program):
    ours = engine(mine=program("speak(sys.argv[1], sys.argv[2])") + " {text} {out}")
    assert "at its own rate" in ours.voices()[0].summary
    assert "at its own rate" in ours.open("mine", "en").note
    speech = ours.open("mine", "en").speak(PASSAGE, 90)
    assert heard_rate(speech) == pytest.approx(150, rel=0.1)


def test_the_same_line_sounds_the_same(program):
    line = program("speak(sys.argv[1], sys.argv[2], 170 / float(sys.argv[3]))") + " {text} {out} {stretch}"
    waves = {voice(line).speak(LINE, 110).wave.samples.tobytes() for _ in range(2)}
    assert len(waves) == 1


# What may go wrong.


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("sys.exit(3)", "failed (status 3)"),
        ("sys.exit('no voice here')", "failed (status 1): no voice here"),
        ("sys.stderr.write('first\\n\\x1b[31mcannot say ' + sys.argv[1] + '\\n'); sys.exit(2)", "[31mcannot say …"),
        ("print('printed reason'); sys.exit(2)", "(status 2): printed reason"),
        ("pass", "wrote is not there"),
        ("open(sys.argv[2], 'w').close()", "wrote is empty"),
        ("open(sys.argv[2], 'w').write('no sound')", "is not a sound that can be read"),
        ("speak(sys.argv[1], sys.argv[2]); f = open(sys.argv[2], 'r+b'); f.truncate(5000)", "ends before it is whole"),
        ("import os; os.mkdir(sys.argv[2])", "wrote is not there"),
        ("import os, shutil; shutil.rmtree(os.path.dirname(sys.argv[2]), True)", "wrote is not there"),
        ("speak('', sys.argv[2])", "has no sounds for this sentence"),
    ],
)
def test_whatever_a_program_does_is_told_with_what_to_do(program, body, says):
    assert says in error(program(body) + " {text} {out}")


@posix
def test_a_crash_has_a_name(program):
    assert "crashed (SIGSEGV)" in error(program("import os; os.kill(os.getpid(), 11)") + " {text} {out}")


def test_a_program_that_writes_without_end_is_stopped(program, monkeypatch):
    monkeypatch.setattr(command, "MOST_BYTES", 1_000_000)
    # Not truly without end: where this test fails, the disk must not fill.
    body = """
        f = open(sys.argv[2], "wb") if len(sys.argv) > 2 else sys.stdout.buffer
        for _ in range(99): f.write(bytes(99999))
    """
    for rest in ("{text} {out}", "{text}"):
        assert "wrote more than 1 MB" in error(f"{program(body)} {rest}")


@posix
def test_a_program_that_hangs_is_stopped_with_its_children(program, tmp_path):
    beat = tmp_path / "beat"
    child = f"import time\nwhile True: open({str(beat)!r}, 'a').write('x'); time.sleep(0.02)"
    body = f"import subprocess, time\nsubprocess.Popen([sys.executable, '-S', '-c', {child!r}])\ntime.sleep(60)"
    start = time.monotonic()
    assert "did not end within 1 s" in error(program(body) + " {text} {out}", timeout=1)
    assert time.monotonic() - start < 5
    size = beat.stat().st_size
    assert size
    time.sleep(0.2)
    assert beat.stat().st_size == size


@posix
def test_a_program_leaves_no_children_behind(program, tmp_path):
    beat = tmp_path / "beat"
    child = f"import time\nwhile True: open({str(beat)!r}, 'a').write('x'); time.sleep(0.02)"
    body = f"""
        import subprocess, time
        subprocess.Popen([sys.executable, "-S", "-c", {child!r}])
        time.sleep(0.3)
        speak(sys.argv[1], sys.argv[2])
    """
    voice(program(body) + " {text} {out}").speak(LINE, 110)
    size = beat.stat().st_size
    time.sleep(0.2)
    assert beat.stat().st_size == size


def test_nothing_that_a_program_prints_reaches_us_and_nothing_stays(program, tmp_path, monkeypatch, capfd):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    tmp_path.joinpath("temporary").mkdir()
    line = program("print('loud'); sys.stderr.write('louder'); speak(sys.argv[1], sys.argv[2])")
    voice(line + " {text} {out}").speak(LINE, 110)
    assert capfd.readouterr() == ("", "")
    assert list(tmp_path.joinpath("temporary").iterdir()) == []


@pytest.mark.parametrize("text", ["", "…", " \n\0 "])
def test_what_cannot_be_spoken_starts_no_program(program, text):
    with pytest.raises(VoiceError, match="nothing in this line"):
        voice(program("sys.exit(1)") + " {text} {out}").speak(Utterance(text), 110)


# The table.


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ("flite -t {txet} -o {out}", r'unknown placeholder \{txet\} in: flite -t .*did you mean "text"'),
        ("flite -t {text!r}", r"unknown placeholder \{text!r\}"),
        ("flite -t {0}", r"unknown placeholder \{0\}"),
        ("flite -t '{text} -o {out}", "a quote is not closed in: flite"),
        ("flite -t {text -o {out}", r"in: flite .*|a brace stands alone"),
        ("flite -t text}", "a brace stands alone in: flite"),
        ("", "has no line"),
        ("  ", "has no line"),
        ("{text} {out}", "does not begin with a program"),
        ("say {rate} {stretch}", r"both \{rate\} and \{stretch\}"),
        (17, "neither a line nor a table"),
        ({"lin": "flite"}, 'has no "lin"; did you mean "line"'),
        ({"line": "flite", "language": 3}, 'write language = "en-us"'),
        ({"line": "flite", "timeout": -1}, "write timeout = 120"),
        ({"language": "en"}, "has no line"),
    ],
)
def test_a_wrong_line_is_shown_with_what_to_do(entry, says):
    ours = engine(mine=entry)
    with pytest.raises(VoiceError, match=says) as caught:
        ours.open("mine", "en")
    assert caught.value.hint
    assert ours.voices()[0].problem == str(caught.value)


def test_a_program_that_is_not_there_is_named():
    ours = engine(mine="no-such-program {text} {out}")
    with pytest.raises(VoiceError, match=r'program "no-such-program" .* not to be found; install it, check PATH'):
        ours.open("mine", "en")
    assert not ours.voices()[0].installed


def test_without_a_table_it_says_what_to_write():
    assert '[command] and under it NAME = "flite' in engine().problem()
    assert list(engine().voices()) == []
    with pytest.raises(VoiceError, match="no program is set up"):
        engine().open("", "en")


def test_voices_are_those_of_the_table():
    python = shlex.quote(sys.executable)
    ours = engine(
        gone="no-such-program {text}",
        anna={"line": f"{python} speak.py {{text}}", "language": "de-DE", "licence": "CC0"},
        any=f"{python} speak.py {{text}} {{rate}}",
    )
    assert ours.problem() == ""
    gone, anna, other = ours.voices()
    assert (anna.name, anna.languages, anna.licence, anna.quality) == ("command:anna", ("de-de",), "CC0", "own")
    assert (gone.problem != "", anna.problem, other.problem) == (True, "", "")
    assert other.languages == ()
    assert "own rate" not in other.summary
    assert ours.open("", "en").name == "command:any"
    assert ours.open("", "de-at").name == "command:anna"
    assert list(ours.cast("any", "de", 3)) == ["any", "anna", "any"]
    assert list(ours.cast("any", "en", 2)) == ["any", "any"]
    with pytest.raises(VoiceError, match=r'no voice "ana"; did you mean "anna"\?'):
        ours.open("ana", "de")
    with pytest.raises(VoiceError, match=r'"command:anna" does not speak "en"; these do: .*espeak:en'):
        open_voice({**find_engines(Setup()), "command": ours}, "command:anna", "en")


def test_it_is_found_by_its_name(program):
    line = program("speak(sys.argv[1], sys.argv[2])") + " {text} {out}"
    setup = Setup(tables={"command": {"mine": line}})
    assert open_voice(find_engines(setup), "command:mine", "en").name == "command:mine"


def test_a_fingerprint_changes_with_the_line_and_with_the_files_it_names(program, tmp_path):
    line = program("speak(sys.argv[1], sys.argv[2])") + " {text} {out}"
    prints = [voice(line).fingerprint, voice(line).fingerprint, voice(f"{line} x").fingerprint]
    prints.append(engine(mine=line).open("mine", "de").fingerprint)
    with tmp_path.joinpath("program.py").open("a") as file:
        file.write("# another build\n")
    prints.append(voice(line).fingerprint)
    assert prints[0] == prints[1]
    assert len(set(prints)) == 4


@pytest.mark.parametrize("word", ["{}", "--model={}", "--set=model={}"])
def test_a_model_that_changes_is_spoken_anew(program, tmp_path, word):
    model = tmp_path / "model.onnx"
    model.write_bytes(b"one")
    line = f"{program('')} {word.format(model.as_posix())} {{text}} {{out}}"
    before = voice(line).fingerprint
    assert voice(line).fingerprint == before
    model.write_bytes(b"another")
    assert voice(line).fingerprint != before


def test_a_path_may_begin_in_the_home_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    line = lines.read_line("mine", Setup(tables={"command": {"mine": "~/bin/speak --model ~/m.bin {text} ~"}}))
    assert line.arguments == (str(tmp_path / "bin/speak"), "--model", str(tmp_path / "m.bin"), "{text}", "~")


def test_a_backslash_stays_on_windows(monkeypatch):
    monkeypatch.setattr(lines.os, "name", "nt")
    found = lines._arguments(r'C:\speech\say.exe "C:\my voices\a.bin" {text}', "it")
    assert found == (r"C:\speech\say.exe", r"C:\my voices\a.bin", "{text}")


def test_what_cannot_be_started_is_told(tmp_path):
    file = tmp_path / "speak"
    file.write_bytes(b"\x7fnot a program")
    file.chmod(0o755)
    ended = process.run([str(file)], tmp_path, patience=1, most_bytes=10)
    assert ended.problem.startswith("cannot be started (")
