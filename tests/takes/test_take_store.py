from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import asdict, replace

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from metta_audio.errors import SettingsError, SoundError, VoiceError
from metta_audio.sound.wave import Wave
from metta_audio.takes.index import Entry, Index, Take
from metta_audio.takes.lines import key
from metta_audio.takes.store import TakeSet, set_names


def take(digest="a" * 64, **changes):
    return replace(Take(digest, 44_100, 1000, 0.02, 3.0, "visit", 4), **changes)


def keep(takes, wave, name="k"):
    kept = take(takes.write(wave), rate=wave.rate, frames=wave.frames)
    takes.update(lambda index: index.with_entry(name, index.entry(name).with_take(kept)))
    return kept


@pytest.fixture
def kept(tmp_path):
    return TakeSet(tmp_path, "mine")


@pytest.mark.parametrize("rate", [16_000, 44_100, 48_000, 96_000])
def test_a_take_comes_back_in_24_bits_at_its_own_rate(kept, rate):
    samples = np.random.default_rng(0).uniform(-1, 1, 2000)
    found = kept.read(keep(kept, Wave.mono(samples, rate)))
    assert found.rate == rate
    assert found.channels == 1
    np.testing.assert_allclose(found.samples[:, 0], samples, atol=2**-23)
    assert soundfile.info(next(kept.folder.glob("*.flac"))).subtype == "PCM_24"


def test_what_exceeds_full_scale_is_lowered_not_cut(kept):
    samples = np.sin(np.arange(2000) / 20) * 3
    found = kept.read(keep(kept, Wave.mono(samples))).samples[:, 0]
    np.testing.assert_allclose(found, samples / np.abs(samples.astype(np.float32)).max(), atol=2**-22)


def test_the_same_sound_is_the_same_file(kept, tmp_path):
    wave = Wave.mono(np.sin(np.arange(2000) / 20) / 2)
    assert kept.write(wave) == kept.write(wave) == TakeSet(tmp_path, "other").write(wave)
    assert len(list(kept.folder.glob("*.flac"))) == 1


@given(st.lists(st.sampled_from("abcdef"), min_size=1, max_size=10))
def test_no_take_is_ever_lost_and_undo_goes_round_all(digests):
    entry = Entry()
    for digest in digests:
        entry = entry.with_take(take(digest * 64))
    everything = {each.digest for each in (entry.current, *entry.older)}
    assert everything == {digest * 64 for digest in digests}
    assert len(everything) == 1 + len(entry.older)
    assert entry.current.digest == digests[-1] * 64
    seen = {entry.current.digest}
    around = entry
    for _ in entry.older:
        around = around.undone()
        seen.add(around.current.digest)
    assert seen == everything
    assert around.undone() == entry or not entry.older
    assert entry.dropped().current is None
    assert entry.dropped().undone() == entry


def test_undo_gives_back_the_take_before(kept):
    entry = Entry().with_take(take("a" * 64)).with_take(take("b" * 64))
    assert entry.undone().current.digest == "a" * 64
    assert entry.undone().undone() == entry


@pytest.mark.parametrize("name", ["", "..", "a/b", "a\\b", ".hidden", "a b", "x" * 99, "ä", "a\n"])
def test_a_name_is_no_path(tmp_path, name):
    with pytest.raises(SettingsError, match="cannot be the name"):
        TakeSet(tmp_path, name)


def test_unknown_sets_are_suggested(kept, tmp_path):
    kept.update(lambda index: index)
    assert set_names(tmp_path) == ["mine"]
    assert set_names(tmp_path / "nowhere") == []
    with pytest.raises(VoiceError) as caught:
        TakeSet.existing(tmp_path, "mien")
    assert caught.value.hint == 'did you mean "mine"?'


def test_a_changed_or_deleted_take_names_its_line(kept):
    found = keep(kept, Wave.mono(np.sin(np.arange(2000) / 20) / 2))
    path = kept.folder / found.file
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(SoundError, match=r"line 4 of visit.*was changed"):
        kept.read(found)
    path.unlink()
    with pytest.raises(SoundError, match=r"line 4 of visit.*is gone") as caught:
        kept.read(found)
    assert "--line 4" in caught.value.hint
    # Writing it again mends it.
    assert keep(kept, Wave.mono(np.sin(np.arange(2000) / 20) / 2)) == found
    assert kept.read(found).frames == 2000


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        "{}",
        '{"schema": "metta_audio.takes/99", "lines": {}, "languages": []}',
        json.dumps(
            {
                "schema": "metta_audio.takes/1",
                "languages": [],
                "lines": {"k": {"older": [], "current": {"digest": "../../x"}}},
            }
        ),
    ],
)
def test_a_damaged_index_is_told_and_never_replaced(kept, text):
    kept.folder.mkdir(parents=True)
    path = kept.folder / "index.json"
    path.write_text(text)
    for call in (kept.index, lambda: kept.update(lambda index: index)):
        with pytest.raises(SoundError, match=r"index\.json is damaged"):
            call()
    assert path.read_text() == text


def test_the_fingerprint_is_of_what_would_be_spoken():
    index = Index({"k": Entry(take())})
    assert index.fingerprint == Index({"k": Entry(take(number=9), (take("b" * 64),))}).fingerprint
    others = [Index(), Index({"k": Entry(take("b" * 64))}), Index({"l": Entry(take())})]
    assert len({index.fingerprint, *(other.fingerprint for other in others)}) == 4


ADD = """
import sys
from pathlib import Path
from metta_audio.takes.index import Entry, Take
from metta_audio.takes.store import TakeSet
takes = TakeSet(Path(sys.argv[1]), "mine")
for number in range(15):
    key = f"{sys.argv[2]}-{number}"
    new = Take("c" * 64, 44100, 1, 1.0, 1.0, "s", 1)
    takes.update(lambda index: index.with_entry(key, Entry(new)))
"""


def test_several_processes_lose_no_take(kept, tmp_path):
    running = [subprocess.Popen([sys.executable, "-c", ADD, str(tmp_path), str(number)]) for number in range(3)]
    assert [process.wait(timeout=120) for process in running] == [0, 0, 0]
    assert len(kept.index().entries) == 45
    assert not list(kept.folder.glob("*.part"))


def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "mine").write_text("a file")
    with pytest.raises(SettingsError, match="cannot be written"):
        TakeSet(tmp_path, "mine").update(lambda index: index)


def plain(kept, entries):
    """An index as it was written before lines went by a secret."""
    lines = {
        key: {
            "current": asdict(entry.current) if entry.current else None,
            "older": [asdict(each) for each in entry.older],
        }
        for key, entry in entries.items()
    }
    for line in lines.values():
        for each in [line["current"], *line["older"]]:
            if each:
                del each["options"]
    kept.folder.mkdir(parents=True)
    text = json.dumps({"schema": "metta_audio.takes/1", "languages": ["en"], "lines": lines})
    (kept.folder / "index.json").write_text(text)
    return text


def test_an_index_without_a_secret_is_read_and_comes_under_one_when_it_is_written(kept):
    entries = {
        key("May Anna be safe"): Entry(take("b" * 64), (take("a" * 64), take("d" * 64, doubtful=True))),
        key("Rest."): Entry(None, (take("c" * 64),)),
    }
    text = plain(kept, entries)
    assert {each: kept.index().entry(each) for each in entries} == entries
    assert kept.index().languages == ("en",)
    assert (kept.folder / "index.json").read_text() == text, "reading writes nothing"
    kept.update(lambda index: index)
    assert {each: kept.index().entry(each) for each in entries} == entries
    assert kept.index().languages == ("en",)
    written = (kept.folder / "index.json").read_text()
    assert json.loads(written)["schema"] == "metta_audio.takes/2"
    assert not any(each in written for each in entries)


def test_nobody_who_has_the_index_alone_can_guess_a_line(kept, tmp_path):
    for takes in (kept, TakeSet(tmp_path, "other")):
        takes.update(lambda index: index.with_entry(key("May Anna be safe"), Entry(take())))
    texts = [(tmp_path / name / "index.json").read_text() for name in ("mine", "other")]
    assert key("May Anna be safe") not in texts[0]
    assert len({tuple(json.loads(text)["lines"]) for text in texts}) == 2, "each set has a secret of its own"
    assert kept.index().fingerprint != TakeSet(tmp_path, "other").index().fingerprint
    assert kept.index().secret.hex() not in texts[0]
    assert "secret" not in repr(kept.index())


def test_a_copied_folder_is_whole(kept, tmp_path):
    found = keep(kept, Wave.mono(np.sin(np.arange(2000) / 20) / 2))
    shutil.copytree(kept.folder, tmp_path / "elsewhere" / "ana")
    copy = TakeSet(tmp_path / "elsewhere", "ana")
    assert copy.index() == kept.index()
    assert copy.read(copy.index().current("k")).frames == found.frames


@pytest.mark.parametrize("content", [None, b"", b"another secret, of as many bytes"])
def test_a_lost_secret_is_told_and_nothing_is_written(kept, content):
    keep(kept, Wave.mono(np.sin(np.arange(2000) / 20) / 2))
    secret = kept.folder / "secret"
    whole = secret.read_bytes()
    before = (kept.folder / "index.json").read_bytes()
    secret.unlink()
    if content is not None:
        secret.write_bytes(content)
    for call in (kept.index, lambda: kept.update(lambda index: index)):
        with pytest.raises(SoundError, match="secret is gone, or of other takes") as caught:
            call()
        assert "put back" in caught.value.hint
    assert (kept.folder / "index.json").read_bytes() == before
    secret.write_bytes(whole)
    assert kept.index().current("k") is not None


def test_how_a_damaged_take_is_recorded_again_is_a_whole_command(kept):
    gone = take(script="./s.md", number=7, options=("--minutes", "2.5", "--set", "title=Two words"))
    with pytest.raises(SoundError) as caught:
        TakeSet(kept.folder.parent, "ana").read(gone)
    command = "metta takes import ./s.md recording.wav --line 7 --minutes 2.5 --set 'title=Two words' --as ana"
    assert caught.value.hint.endswith(command)
