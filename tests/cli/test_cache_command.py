"""``metta cache``, and what a private render leaves: nothing."""

from __future__ import annotations

import json
import signal
import sys
import time

import pytest


def clips(home):
    return sorted((home.parent / "cache" / "clips").glob("*/*"))


def everything(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


@pytest.fixture
def filled(run, home):
    assert run("plan", "s.md").code == 0
    assert len(clips(home)) == 3
    return home


def test_info_says_where_how_many_and_how_large(run, filled):
    out = run("cache", "info").out
    assert str(filled.parent / "cache" / "clips") in out
    assert "3 clips" in out
    assert "of at most 2,000 MB" in out
    record = run("cache", "info", "--json").json
    assert record["schema"] == "metta_audio.cache/1"
    assert (record["clips"], record["most_bytes"]) == (3, 2_000_000_000)
    assert record["bytes"] == sum(path.stat().st_size for path in clips(filled))


def test_a_damaged_clip_is_found_deleted_and_spoken_again(run, filled):
    before = [path.read_bytes() for path in clips(filled)]
    assert "3 clips are whole" in run("cache", "verify").out
    damaged = bytearray(before[1])
    damaged[-9] ^= 4
    clips(filled)[1].write_bytes(damaged)
    assert "2 clips are whole; 1 damaged, deleted" in run("cache", "verify").out
    assert run("plan", "s.md").code == 0
    assert [path.read_bytes() for path in clips(filled)] == before


def test_a_clip_that_breaks_is_spoken_again_by_the_render_that_meets_it(run, filled):
    assert run("render", "s.md", "-o", "a.wav").code == 0
    for path in clips(filled):
        content = bytearray(path.read_bytes())
        content[-9] ^= 4
        path.write_bytes(content)
    assert run("render", "s.md", "-o", "b.wav").code == 0
    assert (filled / "a.wav").read_bytes() == (filled / "b.wav").read_bytes()
    assert "3 clips are whole" in run("cache", "verify").out.replace("\n", " ")


def test_clearing_leaves_nothing_and_nothing_else_goes(run, filled):
    (filled.parent / "cache" / "clips" / "mine.txt").write_text("mine")
    assert "3 clips" in run("cache", "clear").out
    assert clips(filled) == []
    assert (filled.parent / "cache" / "clips" / "mine.txt").exists()
    assert run("cache", "info", "--json").json["clips"] == 0


def test_an_empty_cache_is_no_error(run):
    for name in ("info", "verify", "clear"):
        assert run("cache", name, "--json").json["clips"] == 0


def test_the_limit_of_the_settings_is_kept(run, home):
    (home.parent / "settings.toml").write_text("cache_limit = 0.01\n")
    assert run("plan", "s.md").code == 0
    assert len(clips(home)) == 3, "what is needed now stays"
    (home / "u.md").write_text("---\ntitle: U\nsummary: u\nminutes: 0.5\n---\n# One\n\nHere. [silence 1s..1m]\n")
    assert run("plan", "u.md").code == 0
    assert len(clips(home)) == 1
    (home.parent / "settings.toml").write_text('cache_limit = "much"\n')
    assert 'settings.toml:1:1: "cache_limit" must be a number of MB' in run("cache", "info").complaint()


def test_a_private_render_leaves_nothing_but_what_was_asked_for(spawn, home, tmp_path):
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    environment = {"TMPDIR": str(temporary), "METTA_VOICE": "espeak"}
    before = everything(tmp_path)
    ran = spawn("render", "s.md", "--set", "name=Rosalind", "--private", "-o", "out/a.wav", env=environment)
    assert ran.code == 0, ran.err
    made = [path for path in everything(tmp_path) if path not in before]
    assert made == [
        "home/out", *(f"home/out/a.{end}" for end in ("chapters.json", "manifest.json", "srt", "txt", "vtt", "wav"))
    ]  # fmt: skip
    assert b"Rosalind" not in (home / "out" / "a.manifest.json").read_bytes()


def test_all_work_may_be_private(run, home):
    (home.parent / "settings.toml").write_text("private = true\n")
    assert run("render", "s.md", "-o", "a.wav").code == 0
    assert not (home.parent / "cache").exists()


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
def test_a_private_render_that_is_killed_leaves_its_work_only_where_the_recording_goes(start, home, tmp_path):
    process = start("render", "s.md", "--private", "-o", "out/a.wav", "--minutes", 50)
    out = home / "out"
    deadline = time.monotonic() + 60
    while not any(path.stat().st_size for path in out.rglob("*.wav")) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (tmp_path / "cache").exists()
    assert list(out.iterdir()), "it was killed in the middle"
    # The next one sweeps it.
    again = start("render", "s.md", "--private", "-o", "out/b.wav")
    again.communicate()
    assert sorted(path.name for path in out.iterdir()) == sorted(
        f"b.{end}" for end in ("chapters.json", "manifest.json", "srt", "txt", "vtt", "wav")
    )


def test_a_private_render_sounds_the_same(run, home):
    assert run("render", "s.md", "-o", "a.wav").code == 0
    assert run("render", "s.md", "-o", "b.wav", "--private").code == 0
    assert (home / "a.wav").read_bytes() == (home / "b.wav").read_bytes()


def test_the_report_says_which_voices_spoke(run, home):
    ran = run("render", "s.md", "-o", "a.wav", "--voice", "auto", "--json")
    assert ran.json["voices"]["guide"].startswith("espeak:en-us")
    assert set(ran.json["voices"]) == {"guide", "self"}
    record = json.loads((home / "a.manifest.json").read_text())
    assert {role: voice["name"] for role, voice in record["voices"].items()} == ran.json["voices"]
    assert record["fallback"] is None
    assert "spoken by tone:220 (guide)" in run("render", "s.md", "-o", "a.wav").out


def test_who_chose_no_voice_is_told_how_to_get_a_natural_one_in_one_line(run, monkeypatch):
    monkeypatch.delenv("METTA_VOICE")
    (line,) = [line for line in run("render", "s.md", "-o", "a.wav").out.splitlines() if "natural voice" in line]
    assert "metta voices get piper:en_US-" in line
    assert "natural voice" not in run("render", "s.md", "-o", "a.wav", "--voice", "espeak").out
    assert "metta voices get piper:en_US-" in run("doctor").out
