from __future__ import annotations

import html
import re
import shlex
from pathlib import Path

import numpy as np
import pytest
import soundfile

from metta_audio.speech.voice import Setup, Utterance
from metta_audio.voices.espeak import EspeakEngine

BODY = """# One

You are here, and there is nothing that you have to do about it. [pause 1s..60s]
Rest a little. [pause 1s..60s]

Self: I hear you, and I will stay for as long as you like. [pause 1s..50m]
"""
TEXTS = [
    "You are here, and there is nothing that you have to do about it.",
    "Rest a little.",
    "I hear you, and I will stay for as long as you like.",
]


@pytest.fixture
def script(write) -> str:
    return write(BODY)


@pytest.fixture
def recording(home: Path) -> Path:
    return reading(home / "long.wav", TEXTS)


def reading(path: Path, texts: list[str], gain: float = 1.0) -> Path:
    voice = EspeakEngine(Setup()).open("", "en-us")
    parts: list[np.ndarray] = []
    for text in texts:
        wave = voice.speak(Utterance(text), 110).wave
        parts += [np.zeros(2 * wave.rate, np.float32), wave.samples[:, 0]]
    soundfile.write(path, np.concatenate([*parts, parts[0]]) * gain, 22_050)
    return path


def test_from_sheet_to_finished_recording(run, script, recording, home):
    done = run("takes", "sheet", script, "-o", "sheet.html")
    assert done.code == 0, done.err
    assert "3 lines to read" in done.out
    assert all(text in (home / "sheet.html").read_text(encoding="utf-8") for text in TEXTS)

    done = run("takes", "import", script, recording, "--as", "ana")
    assert done.code == 0, done.err
    rows = [line.split("\t") for line in done.out.splitlines()]
    assert rows[0] == ["line", "text", "seconds", "expected", "verdict", "note"]
    assert [(row[0], row[4]) for row in rows[1:4]] == [("1", "good"), ("2", "good"), ("3", "good")]
    assert Path(done.out.splitlines()[-1].removeprefix("listen to it: ")).is_file()

    assert run("takes", "check", script, "--as", "ana", "--strict").code == 0
    listed = run("takes", "list", "--json").json["takes"]
    assert [(each["name"], each["lines"], each["rates"]) for each in listed] == [("ana", 3, [22_050])]

    done = run("render", script, "--voice", "takes:ana", "-o", "out.wav", "--bed", "none", "--bell", "none")
    assert done.code == 0, done.err
    assert soundfile.info(home / "out.wav").frames == 30 * 44_100


def test_dry_run(run, script, recording):
    done = run("takes", "import", script, recording, "--dry-run")
    assert "nothing was written" in done.out
    assert run("takes", "list").out.count("\n") == 1


def test_json(run, script, recording):
    record = run("takes", "import", script, recording, "--json").json
    assert record["schema"] == "metta_audio.takes.review/1"
    assert [row["number"] for row in record["rows"]] == [1, 2, 3]
    record = run("takes", "check", script, "--json").json
    assert record["schema"] == "metta_audio.takes.check/1"
    assert [row["number"] for row in record["lines"]] == [1, 2, 3]


def test_what_is_missing(run, script, home):
    part = reading(home / "part.wav", TEXTS[:2])
    assert run("takes", "import", script, part).code == 0
    assert run("takes", "check", script).code == 0
    done = run("takes", "check", script, "--strict")
    assert done.code == 1
    assert "3\tmissing" in done.out
    assert done.err == "metta: 1 of 3 lines cannot be spoken by takes:mine\n"
    done = run("takes", "sheet", script, "--missing", "-o", "rest.html")
    assert "1 line to read" in done.out
    assert TEXTS[0] not in (home / "rest.html").read_text(encoding="utf-8")
    rest = reading(home / "rest.wav", TEXTS[2:])
    assert run("takes", "import", script, rest, "--missing").code == 0
    assert run("takes", "check", script, "--strict").code == 0
    said = run("takes", "sheet", script, "--missing").complaint()
    assert "has every line" in said


def test_mending_one_line(run, script, recording, home):
    run("takes", "import", script, recording)
    one = reading(home / "one.wav", TEXTS[1:2], gain=0.5)
    assert "replaces an older take" in run("takes", "import", script, one, "--line", 2).out
    assert "1 older take kept" in run("takes", "undo", script, 2).out
    assert "line 2: missing; 2 older takes kept" in run("takes", "drop", script, 2).out
    assert run("takes", "check", script, "--strict").code == 1
    assert "1 older take kept" in run("takes", "undo", script, 2).out
    assert "has no doubtful take to accept" in run("takes", "accept", script, 2).complaint()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("import", "t.md", "none.wav"), "there is no sound file none.wav"),
        (("import", "t.md", "t.md"), "not a sound that can be read"),
        (("import", "t.md", "silent.wav"), "is silent"),
        (("import", "t.md", "empty.wav"), "holds no sound"),
        (("import", "t.md", "phone.wav"), "too few for a recording"),
        (("import", "t.md", "long.wav", "--line", "9"), "no line has the number 9"),
        (("import", "t.md", "long.wav", "--as", "../x"), "cannot be the name"),
        (("import", "t.md", "long.wav", "--numbered"), "does not begin with the number"),
        (("import", "t.md", "long.wav", "long.wav", "--line", "1"), "--line takes one file"),
        (("check", "t.md", "--as", "mien"), 'did you mean "mine"?'),
        (("drop", "t.md", "9"), "no line has the number 9"),
        (("sheet", "t.md", "-o", "."), "is a folder"),
        (("sheet", "nothing"), 'no practice is called "nothing"'),
    ],
)
def test_what_is_wrong_is_said_in_one_line(run, script, recording, home, arguments, said):
    run("takes", "import", script, recording)
    soundfile.write(home / "silent.wav", np.zeros(100_000), 44_100)
    soundfile.write(home / "empty.wav", np.zeros(0), 44_100)
    soundfile.write(home / "phone.wav", np.ones(8_000), 8_000)
    before = sorted(path.name for path in home.parent.rglob("*") if path.is_file() and "user" in path.parts)
    assert said in run("takes", *arguments).complaint()
    assert sorted(path.name for path in home.parent.rglob("*") if path.is_file() and "user" in path.parts) == before


def test_a_line_that_is_missing_stops_a_render_at_its_place(run, script, home):
    run("takes", "import", script, reading(home / "part.wav", TEXTS[:1]))
    said = run("render", script, "--voice", "takes:mine", "-o", "out.wav").complaint()
    assert "lines have not been recorded by takes:" in said
    assert "t.md:" in said
    assert "Rest" not in said
    assert not (home / "out.wav").exists()


@pytest.mark.slow
def test_a_whole_practice_in_one_reading(run, home):
    import metta_audio
    from metta_audio.rendering.takes import Takes
    from metta_audio.speech.clip import make_clip
    from metta_audio.units import RATE

    session = metta_audio.fill(metta_audio.load("metta-classic"), minutes=10)
    lines = Takes(session).lines
    voice = EspeakEngine(Setup()).open("", "en-us")
    random = np.random.default_rng(0)
    parts: list[np.ndarray] = []
    for line in lines:
        wave = voice.speak(Utterance(line.text, line.spans), 110).wave
        parts += [np.zeros(round(random.uniform(1.5, 3) * wave.rate)), wave.samples[:, 0]]
    whole = np.concatenate([*parts, np.zeros(22_050)])
    whole += random.standard_normal(len(whole)) * 1e-4
    soundfile.write(home / "long.flac", whole, 22_050)
    done = run("takes", "import", "metta-classic", "long.flac", "--minutes", 10, "--as", "x", "--json")
    assert [row["verdict"] for row in done.json["rows"]] == ["good"] * len(lines)
    done = run("render", "metta-classic", "--minutes", 10, "--voice", "takes:x", "-o", "out.wav", "--bed", "none")
    assert done.code == 0, done.err
    plan = metta_audio.plan(session, metta_audio.Options(voice="takes:x", bed="none"))
    for line, spoken in plan.spoken.items():
        said = make_clip(voice.speak(Utterance(line.text, line.spans), 110))
        assert spoken.length / RATE == pytest.approx(said.wave.seconds, abs=0.15)
    assert soundfile.info(home / "out.wav").frames == 600 * 44_100


def test_the_command_on_the_sheet_asks_for_the_same_lines(run, home):
    asked = ["./s.md", "--minutes", "2.5", "--seed", "123456789", "--set", "name=Ana Lu", "--as", "ana"]
    assert run("takes", "sheet", *asked, "-o", "a.html").code == 0
    (command,) = re.findall(r"<code>(metta takes import .*?)</code>", (home / "a.html").read_text())
    written = shlex.split(html.unescape(command))[3:]
    written.remove("recording.wav")
    assert run("takes", "sheet", *written, "-o", "b.html").code == 0
    assert (home / "a.html").read_text() == (home / "b.html").read_text()
