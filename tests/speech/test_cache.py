from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metta_audio.errors import SettingsError
from metta_audio.sound.wave import Wave
from metta_audio.speech.cache import ClipStore, PassingClips, open_store
from metta_audio.speech.clip import Clip
from metta_audio.speech.clip_file import measure, pack
from metta_audio.speech.voice import Word

NAME = "0" * 64
SECRET = b"s" * 32


def a_store(folder, most_bytes=10**9):
    return ClipStore(folder, SECRET, most_bytes)


def a_clip(seed=1, frames=20_000):
    rng = np.random.default_rng(seed)
    grid = np.round(np.clip(rng.normal(0, 0.1, frames), -1, 1 - 2**-23) * (1 << 23)) / (1 << 23)
    return Clip(Wave.mono(grid), (Word(0, 3, 661), Word(4, 9, 9_000)))


def packed(clip):
    return pack(clip, measure(clip))


def only_file(folder):
    (path,) = folder.glob("*/*")
    return path


def damage(path, share, flip):
    """Change one byte, at that share of the file."""
    damaged = bytearray(path.read_bytes())
    damaged[int(len(damaged) * share)] ^= flip
    path.write_bytes(damaged)


@pytest.mark.parametrize("frames", [1, 100, 20_000])
def test_what_comes_back_is_what_was_put_bit_for_bit(tmp_path, frames):
    clip = a_clip(frames=frames)
    a_store(tmp_path).put(NAME, clip)
    back = a_store(tmp_path).get(NAME)
    assert back.wave.samples.tobytes() == clip.wave.samples.tobytes()
    assert (back.wave.rate, back.words) == (clip.wave.rate, clip.words)


def test_the_extremes_of_the_grid_survive(tmp_path):
    clip = Clip(Wave.mono(np.array([-1.0, 1 - 2**-23, 2**-23, 0.0])))
    store = a_store(tmp_path)
    store.put(NAME, clip)
    assert store.get(NAME).wave.samples.tobytes() == clip.wave.samples.tobytes()


def test_missing_is_none(tmp_path):
    store = a_store(tmp_path / "deep" / "er")
    assert store.get(NAME) is None


@given(st.floats(0, 1, exclude_max=True))
def test_a_cut_file_counts_as_missing(tmp_path_factory, share):
    folder = tmp_path_factory.mktemp("cut")
    store = a_store(folder)
    store.put(NAME, a_clip())
    path = only_file(folder)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    assert store.get(NAME) is None


@given(st.floats(0, 1, exclude_max=True), st.integers(1, 255))
def test_a_damaged_file_never_gives_another_sound(tmp_path_factory, share, flip):
    folder = tmp_path_factory.mktemp("bits")
    store, clip = a_store(folder), a_clip(frames=2_000)
    store.put(NAME, clip)
    damage(only_file(folder), share, flip)
    back = store.get(NAME)
    assert back is None or back.wave.samples.tobytes() == clip.wave.samples.tobytes()


def test_what_was_measured_is_told_without_the_sound(tmp_path):
    store, clip = a_store(tmp_path), a_clip()
    store.put(NAME, clip)
    told = store.find(NAME)
    assert (told.length, told.words) == (clip.wave.frames, clip.words)


@given(st.floats(0, 1, exclude_max=True), st.integers(1, 255))
def test_no_damage_changes_what_is_told(tmp_path_factory, share, flip):
    folder = tmp_path_factory.mktemp("bits")
    store, clip = a_store(folder), a_clip(frames=500)
    store.put(NAME, clip)
    damage(only_file(folder), share, flip)
    told = store.find(NAME)
    assert told is None or (told.length, told.words) == (clip.wave.frames, clip.words)


def test_a_clip_with_the_sound_of_another_counts_as_missing(tmp_path):
    store, head = a_store(tmp_path), packed(a_clip(1, 3_000))
    body = packed(a_clip(2, 3_000))
    cut = head.index(b"fLaC")
    swapped = head[:cut] + body[body.index(b"fLaC") :]
    path = tmp_path / "00" / f"{NAME}.clip"
    path.parent.mkdir()
    path.write_bytes(swapped)
    assert store.get(NAME) is None


def test_a_damaged_file_is_replaced(tmp_path):
    store = a_store(tmp_path)
    store.put(NAME, a_clip())
    only_file(tmp_path).write_bytes(b"not a clip")
    assert store.get(NAME) is None
    store.put(NAME, a_clip())
    assert store.get(NAME) is not None


def test_a_full_disk_is_one_clear_error_and_leaves_the_old_clip_and_no_half_file(tmp_path, capfd):
    resource = pytest.importorskip("resource")
    store, old = a_store(tmp_path), a_clip(1)
    store.put(NAME, old)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, limits[1]))
    try:
        with pytest.raises(SettingsError, match=r"File too large.*; free some space.*METTA_CACHE"):
            store.put(NAME, a_clip(2))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert capfd.readouterr().err == ""
    assert store.get(NAME).wave.samples.tobytes() == old.wave.samples.tobytes()
    assert len(list(tmp_path.glob("*/*"))) == 1


def test_a_folder_that_cannot_be_is_a_clear_error(tmp_path):
    tmp_path.joinpath("file").write_text("in the way")
    with pytest.raises(SettingsError, match=r"speech cache .* cannot be written"):
        a_store(tmp_path / "file" / "clips")


def test_without_a_cache_clips_pass(tmp_path):
    tmp_path.joinpath("file").write_text("in the way")
    store = open_store(tmp_path / "file" / "clips", tmp_path / "secret", 10**9)
    assert isinstance(store, PassingClips)
    store.put(NAME, a_clip())
    assert store.get(NAME).wave.samples.tobytes() == a_clip().wave.samples.tobytes()
    assert sorted(each.name for each in tmp_path.iterdir()) == ["file", "secret"]


def test_without_a_secret_clips_pass(tmp_path):
    tmp_path.joinpath("file").write_text("in the way")
    assert isinstance(open_store(tmp_path / "clips", tmp_path / "file" / "secret", 10**9), PassingClips)


def test_a_cache_that_can_be_written_is_used_and_stays(tmp_path):
    for _ in range(2):
        store = open_store(tmp_path / "clips", tmp_path / "user" / "secret", 10**9)
        name = store.name(b"recipe")
        assert (store.get(name) is None) == (_ == 0)
        store.put(name, a_clip())


def test_where_nothing_can_be_written_the_error_names_the_cache(tmp_path, monkeypatch):
    tmp_path.joinpath("file").write_text("in the way")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "nowhere"))
    with pytest.raises(SettingsError, match=r"nowhere.*METTA_CACHE"):
        open_store(tmp_path / "file" / "clips", tmp_path / "secret", 10**9)


def test_passing_clips_keep_what_they_are_given_from_many_threads(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    store, clips = PassingClips(), {store_name(number): a_clip(number, 2_000) for number in range(12)}
    threads = [threading.Thread(target=store.put, args=each) for each in clips.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for name, clip in clips.items():
        assert store.get(name).wave.samples.tobytes() == clip.wave.samples.tobytes()
        assert store.find(name).words == clip.words
    assert store.find("f" * 64) is store.get("f" * 64) is None
    assert list(tmp_path.iterdir()) == [], "a file without a name cannot be seen"


def store_name(number):
    return f"{number:02x}" * 32


def test_a_name_cannot_be_guessed_without_the_secret(tmp_path):
    recipe = b"May Rosalind be well"
    first, second = (ClipStore(tmp_path, secret * 32, 10**9).name(recipe) for secret in (b"a", b"b"))
    assert first != second
    assert first == ClipStore(tmp_path, b"a" * 32, 10**9).name(recipe)
    assert PassingClips().name(recipe) != PassingClips().name(recipe)


def test_pruning_takes_the_least_recently_used_first(tmp_path):
    store = a_store(tmp_path)
    names = [store_name(number) for number in range(4)]
    for number, name in enumerate(names):
        store.put(name, a_clip(number))
        path = tmp_path / name[:2] / f"{name}.clip"
        os.utime(path, (1_000_000 + number, 1_000_000 + number))
    size = path.stat().st_size
    store.get(names[0])
    a_store(tmp_path, int(2.5 * size)).prune()
    assert [store.get(name) is not None for name in names] == [True, False, False, True]
    store.prune()
    assert store.get(names[3]) is not None


def test_pruning_leaves_what_is_needed_now_and_what_is_none_of_ours(tmp_path):
    store = a_store(tmp_path, 0)
    names = [store_name(number) for number in range(3)]
    for name in names:
        store.put(name, a_clip())
    (tmp_path / "00" / "letter.txt").write_text("mine")
    store.prune(keep=names[:1])
    assert [store.get(name) is not None for name in names] == [True, False, False]
    store.clear()
    assert [path.name for path in tmp_path.rglob("*.*")] == ["letter.txt"]


def test_verifying_finds_and_deletes_what_is_damaged_and_what_a_kill_left(tmp_path):
    store = a_store(tmp_path)
    for number in range(4):
        store.put(store_name(number), a_clip(number, 2_000))
    sound = tmp_path / "01" / f"{store_name(1)}.clip"
    content = bytearray(sound.read_bytes())
    content[-100] ^= 1
    sound.write_bytes(content)
    (tmp_path / "02" / f"{store_name(2)}.clip").write_bytes(b"")
    for name, age in (("tmpabc.part", 7_200), ("tmpdef.part", 0)):
        part = tmp_path / "03" / name
        part.write_bytes(b"half")
        os.utime(part, (time.time() - age,) * 2)
    found = store.verify()
    assert (found.clips, found.damaged, found.leftovers) == (2, 2, 1)
    assert sorted(path.name for path in (tmp_path / "03").iterdir()) == [f"{store_name(3)}.clip", "tmpdef.part"]
    again = store.verify()
    assert (again.clips, again.damaged, again.leftovers) == (2, 0, 0)
    assert store.survey() == again
    assert again.bytes == sum(path.stat().st_size for path in tmp_path.glob("*/*.clip"))


def test_clearing_says_what_there_was_and_leaves_nothing(tmp_path):
    store = a_store(tmp_path)
    for number in range(3):
        store.put(store_name(number), a_clip(number, 1_000))
    before = store.survey()
    assert store.clear() == before
    assert before.clips == 3
    assert list(tmp_path.iterdir()) == []


KILLER = """
import json, os, random, signal, sys, time
from pathlib import Path
from metta_audio.errors import Place
from metta_audio.script.model import Line
from metta_audio.speech.cache import ClipStore
from metta_audio.speech.speak import Speaker
from metta_audio.speech.voice import Setup
from metta_audio.voices.registry import find_engines, open_voice

voice = open_voice(find_engines(Setup()), "espeak", "en-us")
lines = [Line("guide", f"May you rest for {number} breaths.", Place("a.md", number)) for number in range(1, 41)]

def fill(folder):
    store = ClipStore(folder, b"s" * 32, 10**9)
    return len(Speaker({"guide": voice}, lambda role: 110, store, "en-us").speak(lines))

folder = Path(sys.argv[1])
begin = time.perf_counter()
fill(folder / "warm")
whole = time.perf_counter() - begin
chance, damaged, partly = random.Random(4), 0, 0
for number in range(100):
    child = os.fork()
    if not child:
        fill(folder / str(number % 10))
        os._exit(0)
    time.sleep(chance.uniform(0, whole))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    found = ClipStore(folder / str(number % 10), b"s" * 32, 10**9).verify()
    damaged += found.damaged
    partly += 0 < found.clips < len(lines)
    if found.clips == len(lines):
        ClipStore(folder / str(number % 10), b"s" * 32, 10**9).clear()
print(json.dumps([damaged, partly, [fill(folder / str(number)) for number in range(10)]]))
"""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_killed_at_a_hundred_moments_nothing_is_half_there_and_the_next_run_completes(tmp_path):
    run = subprocess.run([sys.executable, "-c", KILLER, str(tmp_path)], capture_output=True, check=True, timeout=300)
    damaged, partly, completed = json.loads(run.stdout.splitlines()[-1])
    assert damaged == 0
    assert partly > 30, "most kills must have struck while clips were made"
    assert completed == [40] * 10
    for number in range(10):
        found = a_store(tmp_path / str(number)).verify()
        assert (found.clips, found.damaged) == (40, 0)


def test_many_writers_of_one_clip_leave_one_whole_file(tmp_path):
    clip = a_clip(frames=5_000)
    threads = [threading.Thread(target=lambda: a_store(tmp_path).put(NAME, clip)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert only_file(tmp_path).name == f"{NAME}.clip"
    assert a_store(tmp_path).get(NAME).wave.samples.tobytes() == clip.wave.samples.tobytes()
