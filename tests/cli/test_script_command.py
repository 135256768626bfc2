"""``metta script ssml``: a practice as SSML, filled as ``plan`` fills it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

NS = "{http://www.w3.org/2001/10/synthesis}"


def sentences(text: str) -> list[str]:
    return ["".join(each.itertext()).strip() for each in ElementTree.fromstring(text.encode()).iter(f"{NS}s")]


def test_it_is_what_the_session_says(run: Callable[..., Any]) -> None:
    ran = run("script", "ssml", "s.md")
    assert (ran.code, ran.err) == (0, "")
    assert sentences(ran.out) == ["You are here.", "I hear you.", "That is all."]


def test_it_is_filled_as_a_plan_is(run: Callable[..., Any], write: Callable[..., str]) -> None:
    words = "You are here, {{ name }}, {{ rounds }} times, {{ minutes }} minutes, {{ choose(range(100) | list) }}."
    script = write(f"{words} [silence 1s..50m]")
    chosen = ("--set", "name=Ana", "--set", "rounds=2", "--minutes", 5, "--seed", 3)
    events = run("plan", script, "--estimate", "--json", *chosen).json["events"]
    said = sentences(run("script", "ssml", script, *chosen).out)
    assert said == [event["text"] for event in events if event["kind"] == "line"]
    assert said[0].startswith("You are here, Ana, 2 times, 5 minutes,")
    assert said != sentences(run("script", "ssml", script, *chosen[:-1], 4).out)


def test_every_lexicon_is_in_it(run: Callable[..., Any], write: Callable[..., str], home: Path) -> None:
    script = write("Metta, karuna, sati, {{ name }}. [silence]", head=FRONT)
    (home / "scripts").mkdir()
    (home / "scripts" / "lexicon.toml").write_text('[words]\nkaruna = "kuh roona"\nsati = "x"\n', encoding="utf-8")
    out = run("script", "ssml", script, "--set", "name=Ana").out
    for said in (
        '<phoneme alphabet="ipa" ph="ˈmɛtɑː">Metta</phoneme>',
        '<sub alias="kuh roona">karuna</sub>',
        '<sub alias="sutty">sati</sub>',
        '<sub alias="AH-nah">Ana</sub>',
    ):
        assert said in out


FRONT = '---\ntitle: x\nlexicon: {Ana: AH-nah, sati: sutty}\nparams:\n  name: {type: text, default: ""}\n---\n'


def test_a_folder_of_scripts_comes_first(run: Callable[..., Any], home: Path) -> None:
    (home / "mine").mkdir()
    (home / "mine" / "body-scan.md").write_text("---\ntitle: Mine\n---\nMetta, mine.\n", encoding="utf-8")
    (home / "mine" / "lexicon.toml").write_text('[words]\nmetta = "my mettah"\n', encoding="utf-8")
    out = run("script", "ssml", "body-scan", "--scripts", "mine").out
    assert sentences(out) == ["Metta, mine."]
    assert '<sub alias="my mettah">Metta</sub>' in out


def test_the_lexicon_beside_the_script_counts(run: Callable[..., Any], home: Path) -> None:
    (home / "deep").mkdir()
    (home / "deep" / "x.md").write_text("---\ntitle: x\n---\nMetta.\n", encoding="utf-8")
    (home / "deep" / "lexicon.toml").write_text('[words]\nmetta = "deep mettah"\n', encoding="utf-8")
    assert '<sub alias="deep mettah">Metta</sub>' in run("script", "ssml", "deep/x.md").out


def test_into_a_file(run: Callable[..., Any], home: Path) -> None:
    ran = run("script", "ssml", "s.md", "-o", "new/x.ssml")
    assert (ran.code, ran.out, ran.err) == (0, f"{Path('new/x.ssml')}\n", "")
    assert (home / "new" / "x.ssml").read_text(encoding="utf-8") == run("script", "ssml", "s.md").out


def test_a_file_that_cannot_be_written(run: Callable[..., Any], home: Path) -> None:
    (home / "x.ssml").mkdir()
    assert "x.ssml is a folder" in run("script", "ssml", "s.md", "-o", "x.ssml").complaint()
    assert "cannot write into s.md" in run("script", "ssml", "s.md", "-o", "s.md/x.ssml").complaint()


@pytest.mark.parametrize(
    ("lexicon", "complaint"),
    [
        ('[words]\nmetta = {ipa = "mEttah"}\n', 'lexicon.toml:2:18: the IPA of "metta": "E" is no IPA symbol'),
        ("[words\n", "lexicon.toml:1:"),
        ("\xff", "it must be a readable UTF-8 text"),
    ],
)
def test_a_bad_lexicon_is_one_line(run: Callable[..., Any], home: Path, lexicon: str, complaint: str) -> None:
    (home / "scripts").mkdir()
    (home / "scripts" / "lexicon.toml").write_bytes(lexicon.encode("latin-1"))
    assert complaint in run("script", "ssml", "s.md").complaint()


def test_a_bad_lexicon_in_the_script_is_one_line(run: Callable[..., Any], write: Callable[..., str]) -> None:
    script = write("Ana.", head="---\ntitle: x\nlexicon: {Ana: {ipa: ana:}}\n---\n")
    assert 't.md:3:25: the IPA of "Ana": ":" is no IPA symbol' in run("script", "ssml", script).complaint()


def test_unknown_practices_and_parameters(run: Callable[..., Any]) -> None:
    assert "did you mean" in run("script", "ssml", "body-scam").complaint()
    assert "KEY=VALUE" in run("script", "ssml", "s.md", "--set", "name").complaint()
    assert run("script", "sml", "s.md").complaint(2)
