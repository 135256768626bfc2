"""Whatever is wrong with a script is said on one line, with its place; nothing is spoken, nothing is written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

# Body (its first line is line 10 of the file), where, and words that the message must hold.
FAULTS = {
    "unknown cue": ("Sit. [pauze 5s]", "10:6", 'did you mean "pause"'),
    "unknown cue in a later line": ("Sit.\n\nStand. [gong]", "12:8", "not a cue"),
    "malformed cue": ("[pause:3s]", "10:1", "[pause 3s]"),
    "empty cue": ("[]", "10:1", "empty"),
    "open cue": ("Sit. [pause 5s", "10:6", "never closed"),
    "no unit": ("[pause 5]", "10:1", "no unit"),
    "reversed bounds": ("[pause 9s..2s]", "10:1", "[pause 2s..9s]"),
    "reversed repeats": ("# One {repeat=5..2}\n\nSit.", "10:8", "reversed"),
    "negative length": ("[silence -5s]", "10:1", "negative"),
    "far too long": ("[silence 900h]", "10:1", "longer than"),
    "too many breaths": ("[breath 4-4-6 x99999999]", "10:1", "more than"),
    "undeclared role": ("Slef: I hear you.", "10:1", 'did you mean "Self:"'),
    "unknown name": ("{{ nmae }}", "10:4", 'did you mean "name"'),
    "unknown bell": ("[bell bowll]", "10:1", 'did you mean "bowl"'),
    "unknown bed": ("Sit. [bed rian]", "10:6", 'did you mean "rain"'),
    "unknown sound": ("[sound gong.wav]", "10:1", "sounds/"),
    "unknown pack": ("{% for wish in pack('four-wishs') %}{{ wish }}.{% endfor %}", "10:1", 'mean "four-wishes"'),
    "open block": ("{% if name %}\nSit.", "10:1", "{% if %} is never closed"),
    "open block inside a loop": (
        "{% for n in range(2) %}\nSit.\n{% if n %}\n{% endfor %}\n", "12:1", "{% if %} is never closed"
    ),
    "stray end": ("Sit.\n{% endfor %}", "11:1", "closes nothing"),
    "open expression": ("Sit, {{ name", "10:", "cannot be read"),
    "unknown cue inside a loop": ("{% for n in range(3) %}\nSit. [pauze 5s]\n{% endfor %}\n", "11:6", "pause"),
    "division by zero": ("{{ 1 / (rounds - 1) }}", "10:1", "division by zero"),
    "nothing left": ("{% if rounds > 2 %}Sit.{% endif %}", "10:1", "nothing is left"),
    "nothing but cues of a bed": ("[bed rain]", "10:1", "nothing is left"),
}  # fmt: skip

ESCAPES = {
    "attributes": "{{ name.__class__.__mro__ }}",
    "attributes by item": "{{ name['__class__'] }}",
    "attributes by filter": "{{ name | attr('__class__') }}",
    "globals": "{{ cycler.__init__.__globals__ }}",
    "globals of range": "{{ range.__globals__ }}",
    "globals of our own": "{{ pack.__globals__ }}",
    "code of a macro": "{% macro f() %}{% endmacro %}{{ f._func.__globals__ }}",
    "format strings": "{{ '{0.__class__}'.format(name) }}",
    "the environment": "{{ self._TemplateReference__context }}",
    "import": "{% import 'os' as os %}",
    "from": "{% from 'os' import system %}",
    "extends": "{% extends '/etc/passwd' %}",
    "include": "{% include '/etc/passwd' %}",
    "include upward": "{% include '_parts/../../s.md' %}",
    "include of a computed name": "{% include '_parts/' ~ name %}",
    "a pack upward": "{{ pack('../../etc/hostname') }}",
    "a pack by its whole path": "{{ pack('/etc/hostname') }}",
    "a sound by its whole path": "[sound /etc/hostname]",
    "a sound upward": "[sound ../s.md]",
    "a bed by its whole path": "[bed /etc/hostname]",
    "a bed upward": "[bed ../rain]",
    "a bell upward": "[bell ../beds/rain]",
}

FLOODS = {
    "endless recursion": "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
    "a huge range": "{% for n in range(10 ** 9) %}Sit.{% endfor %}",
    "loops in loops": "{% for a in range(900) %}{% for b in range(900) %}Sit. {% endfor %}{% endfor %}",
    "a huge text": "{{ 'a' * 10 ** 9 }}",
    "a text that doubles": "{% set ns = namespace(t='a') %}{% for n in range(99) %}{% set ns.t = ns.t ~ ns.t %}"
    "{% endfor %}{{ ns.t }}",
    "a list that doubles": "{% set ns = namespace(t=[1]) %}{% for n in range(99) %}{% set ns.t = ns.t + ns.t %}"
    "{% endfor %}{{ ns.t | length }}",
    "a huge power": "{{ 9 ** 9 ** 9 }}",
    "a great many sentences": "{% for n in range(999) %}" + "Sit. " * 20 + "{% endfor %}",
    "a million brackets": "[" * 900_000,
    "a million expressions": "{{" * 400_000,
    "one endless word": "a" * 900_000,
    "deep quotations": "> " * 5_000 + "a",
    "deep emphasis": "*a " * 20_000,
}

HEADERS = {
    "bad YAML": ("---\ntitle: One\nminutes: [3\n---\nSit.\n", "3:", "not valid YAML"),
    "tabs": ("---\ntitle: One\n\tsummary: x\n---\nSit.\n", "3:", "not valid YAML"),
    "a key twice": ("---\ntitle: One\ntitle: Two\n---\nSit.\n", "3:1", "given twice"),
    "an unknown key": ("---\ntitel: One\n---\nSit.\n", "2:1", 'did you mean "title"'),
    "a wrong type": ("---\nroles:\n  self: {pan: far}\n---\nSit.\n", "3:", "number"),
    "reversed minutes": ("---\nminutes: {default: 5, min: 9, max: 3}\n---\nSit.\n", "2:", "above"),
    "aliases": ("---\na: &a [x, x]\nb: [*a, *a]\n---\nSit.\n", "2:", "aliases"),
    "tags": ("---\ntitle: !!python/name:os.system\n---\nSit.\n", "2:", "tags"),
    "no front matter": ("Sit.\n", "1:1", "front matter is missing"),
    "open front matter": ("---\ntitle: One\n\nSit.\n", "1:1", "never closed"),
    "a default out of range": ("---\nparams:\n  n: {type: number, default: 9, max: 3}\n---\nSit.\n", "3:", "9"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_named_with_its_place(run: Callable[..., Any], write: Callable[..., str], fault: str) -> None:
    body, place, words = FAULTS[fault]
    complaint = run("plan", write(body), "--estimate").complaint()
    assert complaint.startswith(f"t.md:{place}"), complaint
    assert words in complaint


@pytest.mark.parametrize("fault", HEADERS)
def test_a_fault_in_the_front_matter_is_named_with_its_place(
    run: Callable[..., Any], write: Callable[..., str], fault: str
) -> None:
    text, place, words = HEADERS[fault]
    complaint = run("plan", write("", head=text), "--estimate").complaint()
    assert complaint.startswith(f"t.md:{place}"), complaint
    assert words in complaint


@pytest.mark.parametrize("fault", ["unknown cue", "no unit", "undeclared role", "unknown bed"])
def test_nothing_is_spoken_and_nothing_is_written(
    run: Callable[..., Any], write: Callable[..., str], fault: str, home: Path, tmp_path: Path
) -> None:
    run("render", write(FAULTS[fault][0]), "-o", "out/a.wav").complaint()
    assert not (home / "out").exists()
    assert not list((tmp_path / "cache").rglob("*.flac"))


def test_no_error_steers_the_terminal(run: Callable[..., Any], write: Callable[..., str]) -> None:
    assert "\x1b" not in run("plan", write("[\x1b]0;title\x07\x1b[31m]"), "--estimate").complaint()


@pytest.mark.parametrize("escape", ESCAPES)
def test_there_is_no_way_out(run: Callable[..., Any], write: Callable[..., str], escape: str) -> None:
    complaint = run("plan", write(ESCAPES[escape]), "--estimate").complaint()
    assert complaint.startswith("t.md:10:")
    for secret in ("root:", "<class", "<function", "<module", "jinja2"):
        assert secret not in complaint


@pytest.mark.parametrize("flood", FLOODS)
def test_a_flood_is_stopped(run: Callable[..., Any], write: Callable[..., str], flood: str) -> None:
    assert run("plan", write(FLOODS[flood]), "--estimate").complaint().startswith("t.md:10:")


def test_a_bed_in_the_front_matter_is_no_way_to_a_file(
    run: Callable[..., Any], write: Callable[..., str], home: Path
) -> None:
    import numpy as np
    import soundfile

    soundfile.write(home / "secret.wav", np.random.default_rng(1).normal(0, 0.1, (44_100 * 3, 2)), 44_100)
    script = write("Sit. [silence 1s..9m]", head=f"---\nbed: {home / 'secret.wav'}\nminutes: 1\n---\n")
    assert "unknown bed" in run("plan", script).complaint()
    assert run("plan", script, "--bed", "secret.wav").code == 0


def test_a_length_that_cannot_be_met_says_which_can(run: Callable[..., Any], write: Callable[..., str]) -> None:
    complaint = run("plan", write("Sit. [pause =2s]\n\nStand."), "--minutes", 50).complaint()
    assert "50:00 cannot be met: the shortest possible is 0:" in complaint
    assert "[silence" in complaint


def test_a_length_outside_what_the_practice_is_written_for(run: Callable[..., Any]) -> None:
    assert "0.3 to 60 minutes, not 61" in run("plan", "s.md", "--minutes", 61).complaint()


@pytest.mark.parametrize(
    "text",
    [
        "Ça va? Übung, ½ breath — “quoted”… naïve café.",
        "Breathe in 🌬️, breathe out 🧘🏽‍♀️.",
        "תנשום. تنفس بهدوء. 呼吸。ゆっくり。 नमस्ते",
        "e\u0301 and \u200b zero width, \u00a0 no-break, \u202e turned \u202c back.",
        "𝕊𝕚𝕥 𝓭𝓸𝔀𝓷.",
    ],
)
def test_any_text_is_accepted(run: Callable[..., Any], write: Callable[..., str], text: str) -> None:
    planned = run("plan", write(f"# {text}\n\n{text} [silence 1s..9m]"), "--json", "--set", f"name={text}")
    assert planned.code == 0, planned.err
    spoken = " ".join(event["text"] for event in planned.json["events"] if event["kind"] == "line")
    assert "".join(spoken.split()) == "".join(text.split())


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_line_ends_and_marks_of_any_editor(run: Callable[..., Any], home: Path, mark: str, newline: str) -> None:
    text = (home / "s.md").read_text(encoding="utf-8")
    (home / "t.md").write_bytes((mark + text.replace("\n", newline)).encode())
    ours = run("plan", "t.md", "--estimate", "--json").json
    theirs = run("plan", "s.md", "--estimate", "--json").json
    assert [event["place"].partition(":")[2] if event["place"] else None for event in ours["events"]] == [
        event["place"].partition(":")[2] if event["place"] else None for event in theirs["events"]
    ]
    broken = text.replace("That is all.", "That is all. [pauze 5s]")
    (home / "t.md").write_bytes((mark + broken.replace("\n", newline)).encode())
    assert run("plan", "t.md", "--estimate").complaint().startswith("t.md:18:14:")
