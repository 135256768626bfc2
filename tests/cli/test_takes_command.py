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

    done = run(
        "render", script, "--voice", "takes:ana", "-o", "out.wav", "--bed", "none", "--bell", "none", "--minutes", "1"
    )
    assert done.code == 0, done.err
    assert soundfile.info(home / "out.wav").frames == 60 * 44_100


def test_dry_run(run, script, recording):
    done = run("takes", "import", script, recording, "--dry-run")
    assert "nothing was written" in done.out
    assert run("takes", "list").out.count("\n") == 1


def test_json(run, script, recording):
    record = run("takes", "import", script, recording, "--json").json
    assert record["schema"] == "metta_audio.takes.review/1"
    assert [row["number"] for row in record["rows"]] == [1, 2, 3]
    record = run("takes", "check", script, "--json").json
    assert record["schema"] == "metta_audio.takes.check/2"
    assert [row["number"] for row in record["lines"]] == [1, 2, 3]


def test_what_all_lines_have_is_said_once(run, script, home):
    run("takes", "import", script, reading(home / "part.wav", TEXTS[:2]))
    rows = [line.split("\t") for line in run("takes", "check", script).out.splitlines() if "\t" in line]
    assert rows[0] == ["fault", "lines", "measured", "what to do"]
    assert [row[:3] for row in rows[1:]] == [["missing", "3", ""], ["dull", "all 2 recorded", "22.05 kHz"]]
    assert "3 lines: 0 good, 2 with faults, 1 missing\n" in run("takes", "check", script).out
    assert [each[1] for each in commands(run("takes", "check", script).out)] == ["sheet"]


def test_what_is_missing(run, script, home):
    part = reading(home / "part.wav", TEXTS[:2])
    assert run("takes", "import", script, part).code == 0
    assert run("takes", "check", script).code == 0
    done = run("takes", "check", script, "--strict")
    assert done.code == 1
    assert "missing\t3\t" in done.out
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


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("1.wav", "--line", 1, "--numbered"), "leave --numbered out"),
        (("1.wav", "--line", 1, "--missing"), "leave --missing out"),
        ((".", "--line", 1), "--line takes one file"),
        (("1.wav", "2.wav", "--line", 1), "--line takes one file"),
        ((".", "--missing"), "numbered files say which lines they are"),
        (("1.wav", "--numbered", "--missing"), "numbered files say which lines they are"),
    ],
)
def test_options_that_exclude_one_another_are_wrong_usage(run, script, arguments, said):
    complaint = run("takes", "import", script, *arguments).complaint(2)
    assert said in complaint
    assert "see metta takes import --help" in complaint


def test_a_file_that_is_said_to_be_a_line_is_not_called_doubtful(run, script, recording, home):
    run("takes", "import", script, recording)
    done = run("takes", "import", script, reading(home / "short.wav", TEXTS[1:2]), "--line", 1)
    rows = [line.split("\t") for line in done.out.splitlines() if "\t" in line]
    assert [row[4] for row in rows[1:]] == ["accepted"]
    assert "shorter than its words" in done.out
    assert "missing:" not in done.out
    assert "doubtful\t" not in run("takes", "check", script).out


def commands(text: str) -> list[list[str]]:
    """Every command that a text names, from its name to the end of the line or the next mark."""
    found = re.findall(r"metta (takes (?:[^\s;()']+|'[^']*'| (?!prints|lists))+)", text)
    return [shlex.split(each) for each in found]


def test_every_command_that_a_check_names_can_be_run_as_it_stands(run, script, recording, home):
    asked = [script, "--minutes", 0.6, "--set", "rounds=2", "--as", "ana"]
    run("takes", "import", *asked, recording)
    run("takes", "drop", *asked, 2)
    run("takes", "drop", *asked, 3)
    (home / "files").mkdir()
    reading(home / "files" / "2.wav", TEXTS[:1])  # far too long for line 2
    assert "doubtful" in run("takes", "import", *asked, "files").out
    reading(home / "recording.wav", TEXTS[1:2])
    named = commands(run("takes", "check", *asked).out)
    assert [each[1] for each in named] == ["sheet", "accept", "import"]
    for command in named:
        assert command[-6:] == ["--set", "rounds=2", "--minutes", "0.6", "--as", "ana"]
        assert run(*command).code == 0, command


def test_how_a_damaged_take_is_mended_can_be_run_as_it_stands(run, script, recording, home):
    asked = [script, "--minutes", 0.6, "--set", "rounds=2", "--as", "ana"]
    run("takes", "import", *asked, recording)
    reading(home / "recording.wav", TEXTS[:1])
    play = ["render", script, "--minutes", 0.6, "--voice", "takes:ana", "-o", "o.wav"]
    for broken, complain in (("check", lambda ran: ran.out), ("render", lambda ran: ran.complaint())):
        run("takes", "drop", *asked, 1)
        name = run("takes", "undo", *asked, 1).out.split(", ")[1].split(";")[0]
        (file,) = (home.parent / "user").rglob(name)
        file.unlink()
        said = complain(run("takes", "check", *asked) if broken == "check" else run(*play))
        assert broken != "check" or "0 missing, 1 damaged" in said
        assert name in said
        (command,) = commands(said)
        assert run(*command).code == 0, command
        assert "damaged" not in run("takes", "check", *asked).out
        run("takes", "import", *asked, recording)


def test_every_hint_names_a_command_that_can_be_run(run, script, recording, home):
    said = run("takes", "check", script, "--as", "ana").complaint()
    (command,) = commands(said)
    reading(home / "recording.wav", TEXTS[:1])
    assert run(*command).code == 0
    (command,) = commands(run("takes", "undo", script, 1, "--as", "ana").complaint())
    assert run(*command).code == 0
    (command,) = commands(run("render", script, "--voice", "takes:ana", "-o", "o.wav").complaint())
    assert command[:2] + command[3:] == ["takes", "sheet", "--missing", "--as", "ana"]
    assert run(*command).code == 0
    run("takes", "import", script, recording)
    (home / "files").mkdir()
    reading(home / "files" / "1.wav", TEXTS[1:2])
    (command,) = commands(run("takes", "import", script, "files").out.splitlines()[1])
    assert command[:2] == ["takes", "undo"]
    assert run(*command).code == 0


def test_a_name_is_shown_by_no_table_and_no_hint(run, home):
    asked = ["./s.md", "--set", "name=Zaphodia"]
    named = reading(home / "recording.wav", ["You are here, Zaphodia.", "I hear you.", "That is all."])
    files = [home / "output" / "s-sheet.html"]
    for ran in (
        run("takes", "import", *asked, named),
        run("takes", "import", *asked, named, "--json"),
        run("takes", "drop", *asked, 1),
        run("takes", "check", *asked),
        run("takes", "accept", *asked, 1),
        run("takes", "sheet", *asked, "--missing"),
        run("render", *asked, "--voice", "takes:mine"),
    ):
        assert "zaphodia" not in (ran.out + ran.err).lower()
    assert "Zaphodia" in files[0].read_text(encoding="utf-8")
    user = [path for path in home.parent.rglob("*") if path.is_file() and path.suffix in (".html", ".json")]
    assert len(user) == 4
    assert [path for path in user if "zaphodia" in path.read_text(encoding="utf-8").lower()] == files


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
