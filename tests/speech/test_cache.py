from __future__ import annotations

import gc
import os
import threading

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from metta_audio.errors import SettingsError
from metta_audio.script.model import Span
from metta_audio.sound.chain import PLAIN, Chain
from metta_audio.sound.wave import Wave
from metta_audio.speech.cache import ClipStore, key, open_store
from metta_audio.speech.clip import Clip
from metta_audio.speech.voice import Word

NAME = "0" * 64


def a_clip(seed=1, frames=20_000):
    rng = np.random.default_rng(seed)
    grid = np.round(np.clip(rng.normal(0, 0.1, frames), -1, 1 - 2**-23) * (1 << 23)) / (1 << 23)
    return Clip(Wave.mono(grid), (Word(0, 3, 661), Word(4, 9, 9_000)))


def only_file(folder):
    (path,) = folder.glob("*/*")
    return path


@pytest.mark.parametrize("frames", [1, 100, 20_000])
def test_what_comes_back_is_what_was_put_bit_for_bit(tmp_path, frames):
    clip = a_clip(frames=frames)
    ClipStore(tmp_path).put(NAME, clip)
    back = ClipStore(tmp_path).get(NAME)
    assert back.wave.samples.tobytes() == clip.wave.samples.tobytes()
    assert (back.wave.rate, back.words) == (clip.wave.rate, clip.words)


def test_the_extremes_of_the_grid_survive(tmp_path):
    clip = Clip(Wave.mono(np.array([-1.0, 1 - 2**-23, 2**-23, 0.0])))
    store = ClipStore(tmp_path)
    store.put(NAME, clip)
    assert store.get(NAME).wave.samples.tobytes() == clip.wave.samples.tobytes()


def test_missing_is_none(tmp_path):
    store = ClipStore(tmp_path / "deep" / "er")
    assert store.get(NAME) is None


@given(st.floats(0, 1, exclude_max=True))
def test_a_cut_file_counts_as_missing(tmp_path_factory, share):
    folder = tmp_path_factory.mktemp("cut")
    store = ClipStore(folder)
    store.put(NAME, a_clip())
    path = only_file(folder)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    assert store.get(NAME) is None


@given(st.floats(0, 1, exclude_max=True), st.integers(1, 255))
def test_a_damaged_file_never_gives_another_sound(tmp_path_factory, share, flip):
    folder = tmp_path_factory.mktemp("bits")
    store, clip = ClipStore(folder), a_clip(frames=2_000)
    store.put(NAME, clip)
    path = only_file(folder)
    damaged = bytearray(path.read_bytes())
    damaged[int(len(damaged) * share)] ^= flip
    path.write_bytes(damaged)
    back = store.get(NAME)
    assert back is None or back.wave.samples.tobytes() == clip.wave.samples.tobytes()


def test_a_file_with_another_sound_than_it_was_given_counts_as_missing(tmp_path):
    store = ClipStore(tmp_path)
    store.put(NAME, a_clip())
    path = only_file(tmp_path)
    with soundfile.SoundFile(path) as file:
        note = file.comment
    with soundfile.SoundFile(path, "w", 44_100, 1, "PCM_24") as file:
        file.comment = note
        file.write(np.zeros(20_000))
    assert store.get(NAME) is None


def test_a_damaged_file_is_replaced(tmp_path):
    store = ClipStore(tmp_path)
    store.put(NAME, a_clip())
    only_file(tmp_path).write_bytes(b"not a FLAC file")
    assert store.get(NAME) is None
    store.put(NAME, a_clip())
    assert store.get(NAME) is not None


base = ("May I be well", (Span(0, 3, "emphasis"),), "voice 1", 110.0)


@pytest.mark.parametrize(
    "other",
    [
        ("May I be Well", *base[1:]),
        (base[0], (), *base[2:]),
        (base[0], (Span(0, 3, "slow"),), *base[2:]),
        (base[0], (Span(0, 3, "sub", "x"),), *base[2:]),
        (*base[:2], "voice 2", 110.0),
        (*base[:3], 111.0),
        (*base, Chain(warmth=1.0)),
        (*base, Chain(de_ess=1.0)),
        (*base, Chain(high_pass=50)),
    ],
)
def test_the_key_holds_everything_that_changes_the_sound(other):
    assert key(*base) == key(base[0], tuple(base[1]), base[2], 110, PLAIN)
    assert key(*base) != key(*other)


def test_the_key_follows_the_hygiene_version(monkeypatch):
    before = key(*base)
    monkeypatch.setattr("metta_audio.speech.cache.VERSION", 999)
    assert key(*base) != before


def test_no_text_is_told_by_name_or_content(tmp_path):
    store = ClipStore(tmp_path)
    store.put(key("May Rosalind be well", (), "v", 110), a_clip())
    path = only_file(tmp_path)
    assert "Rosalind" not in str(path)
    assert b"Rosalind" not in path.read_bytes()


def test_a_full_disk_is_one_clear_error_and_leaves_the_old_clip_and_no_half_file(tmp_path, capfd):
    resource = pytest.importorskip("resource")
    store, old = ClipStore(tmp_path), a_clip(1)
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
        ClipStore(tmp_path / "file" / "clips")


def test_without_a_cache_clips_live_as_long_as_the_store(tmp_path):
    tmp_path.joinpath("file").write_text("in the way")
    store = open_store(tmp_path / "file" / "clips")
    store.put(NAME, a_clip())
    assert store.get(NAME) is not None
    folder = store.folder
    assert folder.is_dir()
    del store
    gc.collect()
    assert not folder.exists()


def test_a_cache_that_can_be_written_is_used_and_stays(tmp_path):
    store = open_store(tmp_path)
    store.put(NAME, a_clip())
    del store
    gc.collect()
    assert ClipStore(tmp_path).get(NAME) is not None


def test_where_no_folder_can_be_written_the_error_names_the_cache(tmp_path, monkeypatch):
    tmp_path.joinpath("file").write_text("in the way")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "nowhere"))
    with pytest.raises(SettingsError, match=r"file.*METTA_CACHE"):
        open_store(tmp_path / "file" / "clips")


def test_pruning_takes_the_least_recently_used_first(tmp_path):
    store = ClipStore(tmp_path)
    names = [f"{number:02x}" * 32 for number in range(4)]
    for number, name in enumerate(names):
        store.put(name, a_clip(number))
        path = tmp_path / name[:2] / f"{name}.flac"
        os.utime(path, (1_000_000 + number, 1_000_000 + number))
    size = path.stat().st_size
    store.get(names[0])
    store.prune(int(2.5 * size))
    assert [store.get(name) is not None for name in names] == [True, False, False, True]
    store.prune()
    assert store.get(names[3]) is not None


def test_many_writers_of_one_clip_leave_one_whole_file(tmp_path):
    clip = a_clip(frames=5_000)
    threads = [threading.Thread(target=lambda: ClipStore(tmp_path).put(NAME, clip)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert only_file(tmp_path).name == f"{NAME}.flac"
    assert ClipStore(tmp_path).get(NAME).wave.samples.tobytes() == clip.wave.samples.tobytes()
