"""Which voice speaks in a session, where its text may go, and what a script may not decide."""

from __future__ import annotations

import json

import pytest

import metta_audio as metta
from metta_audio.errors import VoiceError
from metta_audio.rendering.flow import says_own_words
from metta_audio.voices.tone import ToneVoice

SCRIPT = """---
title: Two Voices
minutes: {default: 0.4, min: 0.3, max: 2}
params:
  name: {type: text, default: "friend"}
roles:
  self: {ROLE}
---
# One

Welcome, {{ name }}. [pause 1s..60s]

Self: I hear you, metta. [pause 1s..60s]
"""


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    for name in ("METTA_VOICE", "METTA_SCRIPTS", "METTA_HTTP_URL", "METTA_HTTP_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("METTA_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("METTA_SETTINGS", str(tmp_path / "settings.toml"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "user"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def session_of(home, role="{pan: -0.2}", **options):
    path = home / "two.md"
    path.write_text(SCRIPT.replace("{ROLE}", role), encoding="utf-8")
    return metta.fill(metta.load(path), **options)


def test_without_a_wish_the_best_voice_here_speaks(home):
    plan = metta.plan(session_of(home))
    assert plan.voices["guide"].name.startswith("espeak:en-us")
    assert plan.voices["self"].name.startswith("espeak:en-us")
    assert plan.voices["guide"].name != plan.voices["self"].name


def test_auto_follows_the_language_of_the_script(home):
    path = home / "de.md"
    path.write_text("---\ntitle: Kurz\nlanguage: de\nminutes: 0.3\n---\n# Eins\n\nWillkommen. [silence 1s..1m]\n")
    assert metta.plan(metta.fill(metta.load(path))).voices["guide"].name.startswith("espeak:de")


def test_a_voice_of_another_language_is_refused_with_those_that_fit(home):
    with pytest.raises(VoiceError, match=r'"espeak:de" does not speak "en-us"; these do: espeak:en'):
        metta.plan(session_of(home), metta.Options(voice="espeak:de"))


def test_a_script_may_choose_a_voice_and_the_listener_another(home):
    session = session_of(home, "{voice: 'tone:330'}")
    assert metta.plan(session, metta.Options(voice="silent")).voices["self"].name == "tone:330"
    chosen = metta.Options(voice="silent", roles={"self": "tone:440"})
    assert metta.plan(session, chosen).voices["self"].name == "tone:440"


def test_a_script_opens_no_file_as_a_voice(home):
    session = session_of(home, "{voice: 'piper:/home/someone/x.onnx'}")
    with pytest.raises(VoiceError, match=r'role "self" a voice by its file.*--role self=piper'):
        metta.plan(session, metta.Options(voice="tone"))


def test_a_name_is_the_listeners_own_word_and_a_default_is_not(home):
    assert not says_own_words(session_of(home))
    assert not says_own_words(session_of(home, params={"name": "friend"}))
    assert says_own_words(session_of(home, params={"name": "Rosalind"}))


REMOTE = '[http]\nurl = "http://192.0.2.7:9/v1"\nvoices = ["nova"]\n'
"""An address that no machine has (RFC 5737)."""


@pytest.mark.parametrize(
    ("params", "options", "settings"),
    [
        ({"name": "Rosalind"}, {}, REMOTE),
        ({}, {"private": True}, REMOTE),
        ({}, {}, "private = true\n" + REMOTE),
    ],
)
def test_private_work_goes_to_no_other_machine(home, params, options, settings):
    (home / "settings.toml").write_text(settings)
    session = session_of(home, params=params)
    with pytest.raises(VoiceError) as caught:
        metta.plan(session, metta.Options(voice="http:nova", **options))
    assert "private" in str(caught.value)
    assert "Rosalind" not in str(caught.value)


def test_a_fallback_may_be_private_work_too(home):
    (home / "settings.toml").write_text(REMOTE)
    with pytest.raises(VoiceError, match="private"):
        metta.plan(session_of(home), metta.Options(voice="tone", fallback="http:nova", private=True))


def test_the_lexicon_of_script_and_shelves_is_spoken(home):
    plain = metta.plan(session_of(home), metta.Options(voice="espeak")).words
    scripts = home / "scripts"
    scripts.mkdir()
    (scripts / "lexicon.toml").write_text('[words]\nwelcome = {say = "well, well, come to this place"}\n')
    other = metta.plan(session_of(home), metta.Options(voice="espeak")).words
    first, second = (next(iter(words.items())) for words in (plain, other))
    assert first[0] == second[0], "the text stays"
    assert second[1][-1].onset > first[1][-1].onset + 20_000, "the sound does not"


def test_a_lexicon_beside_the_script_is_spoken_before_that_of_the_project(home):
    (home / "scripts").mkdir()
    (home / "scripts" / "lexicon.toml").write_text('[words]\nwelcome = {say = "well"}\n')
    (home / "lexicon.toml").write_text('[words]\nwelcome = {say = "well, well, come to this place"}\n')
    lexicon = metta.plan(session_of(home), metta.Options(voice="silent")).speaker.lexicon
    assert lexicon.find("welcome", "en").say == "well, well, come to this place"


def test_lines_of_the_fallback_are_told_in_notes_and_manifest(home, monkeypatch):
    monkeypatch.setattr(
        ToneVoice, "has", lambda self, utterance: self.name != "tone:220" or "hear" in utterance.text, raising=False
    )
    options = metta.Options(voice="tone", roles={"self": "tone:220"}, fallback="tone:440", bed="none")
    plan = metta.plan(session_of(home), options)
    assert "1 of 2 lines are spoken by tone:440: nobody has recorded them" in plan.notes
    metta.render(plan).save(home / "a.wav")
    record = json.loads((home / "a.manifest.json").read_text())
    line = next(event for event in record["events"] if event["kind"] == "line")
    assert record["fallback"] == {"name": "tone:440", "fingerprint": "tone 2 440", "lines": [line["start"]]}


@pytest.mark.parametrize(
    ("params", "private", "told"), [({}, False, True), ({"name": "Zoe"}, False, False), ({}, True, False)]
)
def test_texts_with_a_listeners_words_are_not_hashed(home, params, private, told):
    options = metta.Options(voice="tone", bed="none", private=private)
    metta.render(metta.plan(session_of(home, params=params), options)).save(home / "a.wav")
    files = json.loads((home / "a.manifest.json").read_text())["files"]
    assert files["a.wav"]
    assert all(bool(files[f"a.{end}"]) == told for end in ("vtt", "srt", "txt"))


def test_a_private_recording_sweeps_nothing_but_its_own_folder(home):
    import os

    mine = home / "metta-retreat-2024-final"
    mine.mkdir()
    (mine / "notes.txt").write_text("precious")
    os.utime(mine, (0, 0))
    left = home / ".metta-private-work" / "metta-elsewhere-1-abc"
    left.mkdir(parents=True)
    os.utime(left, (0, 0))
    metta.render(metta.plan(session_of(home), metta.Options(voice="tone", private=True))).save(home / "a.wav")
    assert (mine / "notes.txt").read_text() == "precious"
    assert not left.parent.exists()
