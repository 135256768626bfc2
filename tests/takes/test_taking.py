from __future__ import annotations

import functools
import subprocess
import sys

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from scipy.signal import correlate

import metta_audio
from metta_audio.errors import SettingsError, SoundError
from metta_audio.rendering.takes import Takes
from metta_audio.rendering.taking import import_takes
from metta_audio.sound.wave import Wave
from metta_audio.takes.envelope import envelope
from metta_audio.takes.review import SHOWN, cut


def missing(review):
    return [row.number for row in review.rows if row.verdict == "missing"]


def certain(review):
    return [row.number for row in review.rows if row.verdict == "good"]


def sound(takes, number):
    line, kept = takes.lines[number - 1], takes.set
    return kept.read(kept.index().current(line.key))


@functools.cache
def shape(wave):
    """How loud it is every 10 ms, of length one."""
    rms = envelope([wave.samples[:, 0]], wave.rate)
    levels = rms[: len(rms) // 10 * 10].reshape(-1, 10).mean(axis=1)
    return levels / np.linalg.norm(levels)


def same_reading(takes, number, reader):
    """Whether the take of a line is what was read of it: its levels run alike, and no other line's do so."""
    got = shape(sound(takes, number))
    likeness = [correlate(got, shape(reader.words(line.text))).max() for line in reader.lines]
    return np.argmax(likeness) == number - 1 and likeness[number - 1] > 0.95


@pytest.mark.parametrize(
    ("level", "rate", "gaps"), [(-20.0, 16_000, (1.5, 3)), (0.0, 22_050, (0.9, 1.2)), (-20.0, 48_000, (2, 4))]
)
def test_a_perfect_reading_matches_all(takes, read, level, rate, gaps):
    recording = read(level=level, rate=rate, gaps=gaps)
    review = import_takes(takes, [recording])
    assert certain(review) == [line.number for line in takes.lines]
    assert review.left_out == ()
    for line in takes.lines:
        assert same_reading(takes, line.number, read)
        assert sound(takes, line.number).rate == rate


@pytest.mark.parametrize("left_out", [1, 6, 14])
def test_a_line_that_is_left_out_is_missing_and_shifts_nothing(takes, read, left_out):
    rest = [line.number for line in takes.lines if line.number != left_out]
    review = import_takes(takes, [read(*rest)])
    assert len(missing(review)) == 1
    # Which of two lines of one length is missing cannot be known: then both say so.
    sure = certain(review)
    assert left_out not in sure
    assert missing(review) == [left_out] or len(sure) < len(rest)
    assert len(sure) >= len(rest) - 2
    assert all(same_reading(takes, number, read) for number in sure)


@pytest.mark.parametrize("number", [2, 9])
def test_a_line_that_is_said_again_counts_as_it_was_said_last(takes, read, number):
    everything = [line.number for line in takes.lines]
    recording = read(*everything[:number], number, *everything[number:])
    review = import_takes(takes, [recording])
    assert missing(review) == []
    row = review.rows[number - 1]
    assert "read 2 times: the last is taken" in row.note
    minutes, seconds = row.note.removeprefix("at ").partition(";")[0].split(":")
    assert int(minutes) * 60 + int(seconds) == pytest.approx(read.starts[number], abs=1.5)


def test_false_starts_coughs_and_asides_are_left_out(takes, read):
    recording = read(1, 2, "cough", 3, "half 4", "again", 4, 5, "cough", "cough", *range(6, len(takes.lines) + 1))
    review = import_takes(takes, [recording])
    assert missing(review) == []
    assert len(review.left_out) >= 4
    for line in takes.lines:
        assert same_reading(takes, line.number, read)


def test_a_pause_within_a_line_stays_in_it(takes, read):
    long = [line.number for line in takes.lines if line.words > 10]
    items = [f"paused {line.number}" if line.number in long else line.number for line in takes.lines]
    review = import_takes(takes, [read(*items)])
    assert certain(review) == [line.number for line in takes.lines]
    for number in long:
        whole = len(read._said(f"paused {number}")) / 22_050
        assert sound(takes, number).seconds == pytest.approx(whole + 0.5, abs=0.1)


def test_half_today_and_half_tomorrow(takes, read):
    count = len(takes.lines)
    first = import_takes(takes, [read(*range(1, 8))])
    assert missing(first) == list(range(8, count + 1))
    # Lines beside those that are missing may be doubtful: they are read once more.
    wanted = [line.number for line in takes.wanted(missing=True)]
    assert set(range(8, count + 1)) <= set(wanted) <= set(range(6, count + 1))
    second = import_takes(takes, [read(*wanted)], missing=True)
    assert [row.number for row in second.rows] == wanted
    assert missing(second) == []
    both = Takes(takes.session, "both")
    assert missing(import_takes(both, [read(*range(1, 8)), read(*range(8, count + 1))])) == []
    with pytest.raises(SettingsError, match="has every line"):
        takes.wanted(missing=True)


def test_the_same_recording_twice_changes_nothing(takes, read):
    recording = read()
    import_takes(takes, [recording])
    before = takes.set.index()
    review = import_takes(takes, [recording])
    assert takes.set.index() == before
    assert all("the same take" in row.note for row in review.rows)


def test_a_later_take_replaces_an_earlier_one_and_the_old_is_kept(takes, read):
    import_takes(takes, [read()])
    old = {line.key: takes.set.index().current(line.key) for line in takes.lines}
    files = {take.file: (takes.set.folder / take.file).read_bytes() for take in old.values()}
    review = import_takes(takes, [read(level=-3.0)])
    assert all("replaces an older take" in row.note for row in review.rows)
    for key, take in old.items():
        entry = takes.set.index().entry(key)
        assert entry.current.digest != take.digest
        assert entry.older == (take,)
    for name, content in files.items():
        assert (takes.set.folder / name).read_bytes() == content


def test_a_dry_run_writes_nothing(takes, read):
    review = import_takes(takes, [read()], dry_run=True)
    assert missing(review) == []
    assert not takes.set.folder.exists()


def test_a_doubtful_take_never_replaces_a_good_one(takes, read, home):
    import_takes(takes, [read()])
    good = takes.set.index()
    folder = home / "files"
    folder.mkdir()
    # Line 1 read as line 2: far too short for its words.
    for number, said in ((1, 1), (4, 4), (2, 1)):
        wave = read(said)
        soundfile.write(folder / f"{number:03}.wav", wave.samples, wave.rate)
    review = import_takes(takes, [folder])
    key = takes.lines[1].key
    assert review.rows[1].verdict == "doubtful"
    assert "not taken" in review.rows[1].note
    assert takes.set.index().current(key) == good.current(key)
    assert takes.undo(2).current.doubtful
    assert takes.accept(2).current.doubtful is False
    assert takes.undo(2).current == good.current(key)
    import_takes(takes, [folder], accept_doubtful=True)
    assert takes.set.index().current(key) != good.current(key)


def test_one_file_for_one_line(takes, read, home):
    import_takes(takes, [read()])
    wave = read(4, level=-6.0)
    soundfile.write(home / "again.wav", wave.samples, wave.rate)
    before = takes.set.index()
    review = import_takes(takes, [home / "again.wav"], line=4)
    after = takes.set.index()
    changed = [line.number for line in takes.lines if before.current(line.key) != after.current(line.key)]
    assert changed == [4]
    assert [(row.number, row.verdict) for row in review.rows] == [(4, "good")]
    assert review.summary.startswith("1 line: 1 good")


def test_numbered_files(takes, read, home):
    folder = home / "files"
    folder.mkdir()
    names = {1: "001.wav", 2: "2 quiet room.flac", 12: "12 take 2.wav"}
    for number, name in names.items():
        wave = read(number)
        soundfile.write(folder / name, wave.samples, wave.rate)
    first = read(11)
    soundfile.write(folder / "12.wav", first.samples, first.rate)
    (folder / "notes.txt").write_text("a page of notes")
    (folder / ".DS_Store").write_bytes(b"\0")
    review = import_takes(takes, [folder])
    assert [row.number for row in review.rows if row.verdict != "missing"] == sorted(names)
    assert all(same_reading(takes, number, read) for number in names)
    # The same by the files themselves, when asked for.
    other = Takes(takes.session, "other")
    import_takes(other, [folder / "001.wav", folder / "2 quiet room.flac"], numbered=True)
    assert len(other.set.index().takes) == 2


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("99.wav", "no line has the number 99"),
        ("take 1.wav", "does not begin with the number"),
        (None, "no recordings"),
    ],
)
def test_folders_at_fault(takes, read, home, name, said):
    folder = home / "files"
    folder.mkdir()
    if name:
        soundfile.write(folder / name, read(1).samples, 22_050)
    with pytest.raises(SoundError, match=said):
        import_takes(takes, [folder])
    assert not takes.set.folder.exists()


def test_a_dead_channel_and_one_the_wrong_way_round_cost_nothing(takes, read):
    left = read()
    for other in (np.zeros_like(left.samples), -left.samples):
        review = import_takes(takes, [Wave(np.hstack([left.samples, other]), left.rate)], dry_run=True)
        assert missing(review) == []
        assert "channel" in review.notes[0]


@pytest.mark.parametrize(
    ("wave", "said"),
    [
        (Wave.mono(np.zeros(44_100 * 5)), "is silent"),
        (Wave.mono(np.zeros(0)), "holds no sound"),
        (Wave.mono(np.random.default_rng(0).standard_normal(44_100 * 5) * 0.1), "has no pauses"),
        (Wave.mono(np.ones(8_000), 8_000), "too few"),
        (Wave.mono(np.ones(8_000), 384_000), "384,000"),
    ],
)
def test_recordings_at_fault(takes, wave, said):
    with pytest.raises(SoundError, match=said) as caught:
        import_takes(takes, [wave])
    assert caught.value.hint
    assert not takes.set.folder.exists()


def test_too_few_pieces_are_told(takes, read):
    review = import_takes(takes, [read(1, 2, 3)], dry_run=True)
    assert "only 3 of" in review.notes[0]


def test_no_pieces_but_noise_are_no_take(takes, read, fill):
    other = fill("# One\n\n" + "This is one very long line of many words, and it goes on and on. " * 3)
    with pytest.raises(SoundError, match="no line of t was found"):
        import_takes(other, [read("cough", "cough")])


def test_the_review_is_kept_beside_the_takes_and_plays_them(takes, read):
    review = import_takes(takes, [read()])
    page = takes.review_page.read_text(encoding="utf-8")
    for row in review.rows:
        assert f'src="{row.file}"' in page
        assert (takes.set.folder / row.file).is_file()
    assert "http" not in page


def test_parameters_change_which_lines_are_meant_and_not_their_takes(takes, read, home):
    import_takes(takes, [read()])
    named = Takes(metta_audio.fill(metta_audio.load(home / "visit.md"), params={"name": "Kim"}))
    assert [line.number for line in named.wanted(missing=True)] == [1]
    text = "".join(path.read_text(encoding="utf-8") for path in takes.set.folder.glob("index.json"))
    assert "welcome" not in text.lower()


def test_of_lines_that_are_alike_the_one_that_is_missing_is_known_by_its_sound(fill, reader_of):
    wishes = ["May I be safe.", "May I be well.", "May I be glad.", "May I be free.", "May I be kind."]
    body = "# One\n\nThis is the beginning of a list of wishes that are alike.\n\n" + "\n".join(wishes)
    takes = fill(body + "\n\nAnd that is the end of the list of wishes that are alike.\n")
    reader = reader_of(takes)
    review = import_takes(takes, [reader(1, 2, 3, 5, 6, 7)])
    assert missing(review) == [4]
    assert certain(review) == [1, 2, 3, 5, 6, 7]


@pytest.mark.parametrize("edge", [0.0, 0.02])
def test_a_file_cut_close_to_its_words_is_taken_whole(takes, read, edge):
    said = read.words(takes.lines[4].text)
    pad = np.zeros((round(edge * said.rate), 1), np.float32)
    wave = Wave(np.concatenate([pad, said.samples, pad]), said.rate)
    import_takes(takes, [wave], line=5)
    assert sound(takes, 5).frames == wave.frames


def test_a_tap_on_the_recorder_is_no_part_of_a_line(takes, read):
    wave = read(5)
    samples = wave.samples.copy()
    tap = np.random.default_rng(0).standard_normal((1_500, 1)).astype(np.float32) * 0.1
    samples[2_000:3_500] += tap
    samples[-3_500:-2_000] += tap
    import_takes(takes, [Wave(samples, wave.rate)], line=5)
    assert sound(takes, 5).seconds == pytest.approx(read.words(takes.lines[4].text).seconds + 0.5, abs=0.05)


def test_a_file_that_is_said_to_be_a_line_is_accepted_and_its_fault_told(takes, read):
    import_takes(takes, [read()])
    for dry_run in (True, False):
        review = import_takes(takes, [read(1)], line=2, dry_run=dry_run)  # far too short for its words
        assert [(row.number, row.verdict) for row in review.rows] == [(2, "accepted")]
        assert "shorter than its words" in review.rows[0].note
        assert review.summary.startswith("1 line: 0 good, 1 accepted, 0 doubtful, 0 missing")
    assert not takes.set.index().current(takes.lines[1].key).doubtful
    assert not any(fault.kind == "doubtful" for fault in takes.check()[1].faults)


def test_what_was_not_found_now_but_before_is_not_missing(takes, read):
    import_takes(takes, [read(*range(1, 8))])
    review = import_takes(takes, [read(*range(8, 15))])
    verdicts = {row.number: row.verdict for row in review.rows}
    assert {verdicts[number] for number in range(1, 6)} == {"kept"}
    for row in review.rows[:7]:
        doubtful = takes.set.index().current(takes.lines[row.number - 1].key).doubtful
        assert row.verdict != "kept" or row.note == ("doubtful: listen to it" if doubtful else "")
    assert missing(review) == []
    page = takes.review_page.read_text(encoding="utf-8")
    assert takes.set.index().current(takes.lines[0].key).file in page


@pytest.mark.parametrize(
    ("choices", "said"),
    [
        ({"line": 1, "numbered": True}, "--line says which line it is: leave --numbered out"),
        ({"line": 1, "missing": True}, "--line says which line it is: leave --missing out"),
        ({"line": 1, "count": 2}, "--line takes one file"),
        ({"line": 1, "folder": True}, "--line takes one file"),
        ({"folder": True, "missing": True}, "numbered files say which lines they are"),
        ({"numbered": True, "missing": True}, "numbered files say which lines they are"),
    ],
)
def test_choices_that_exclude_one_another(takes, home, choices, said):
    count, folder = choices.pop("count", 1), choices.pop("folder", False)
    sources = [home if folder else home / "1.wav"] * count
    with pytest.raises(SettingsError, match=said):
        import_takes(takes, sources, **choices)


def test_an_earlier_reading_is_kept_and_comes_back(takes, read):
    everything = [line.number for line in takes.lines]
    import_takes(takes, [read(*everything[:5], "paused 5", *everything[5:])])
    entry = takes.set.index().entry(takes.lines[4].key)
    assert len(entry.older) == 1
    assert entry.current.seconds > entry.older[0].seconds + 0.3
    assert not any(takes.set.index().entry(line.key).older for line in takes.lines if line.number != 5)
    assert takes.undo(5).current.digest == entry.older[0].digest
    assert sound(takes, 5).seconds == pytest.approx(read.words(takes.lines[4].text).seconds + 0.5, abs=0.15)


def test_of_several_files_of_one_line_the_last_counts_as_people_count(takes, read, home):
    folder = home / "files"
    folder.mkdir()
    for name, said in (("5.wav", 1), ("5 take 10.wav", 5), ("5 take 2.wav", 2)):
        wave = read(said)
        soundfile.write(folder / name, wave.samples, wave.rate)
    review = import_takes(takes, [folder])
    assert same_reading(takes, 5, read)
    assert len(takes.set.index().entry(takes.lines[4].key).older) == 2
    assert "5 take 10.wav" in review.rows[4].note
    assert "read 3 times" in review.rows[4].note


WORDS = st.lists(st.text("abc", min_size=1, max_size=12), max_size=20).map(" ".join)


@given(WORDS, WORDS)
def test_a_table_shows_both_ends_of_a_line(one, other):
    for text in (one, other, "x" * 300):
        assert cut(text) == text or len(cut(text)) <= SHOWN < len(text)
    beginning = "May everybody in this house and on every road be "
    assert (cut(f"{beginning} {one} safe.") == cut(f"{beginning} {other} well.")) is False


WISHES = """# One

{% if name %}{{ name }}, you are welcome here, and you can stay for as long as you like.{% endif %}

May {{ name | upper }} be safe, in every room of this house and on every road that leads out of it.

May {{ name[:3] ~ name[3:] }} be well, in every room of this house and on every road that leads home to it.

May everybody be glad, in every room of this house and on every road that leads home to it.
"""


@pytest.fixture
def wishes(fill):
    script = fill(WISHES).session.file
    session = metta_audio.fill(metta_audio.load(script), params={"name": "Zaphodia"})
    return Takes(session, asked=(script, "--set", "name=Zaphodia", "--minutes", "3"))


def test_a_name_is_in_no_review_and_lines_of_one_beginning_are_told_apart(wishes, reader_of):
    reader = reader_of(wishes)
    import_takes(wishes, [reader()])
    good = import_takes(wishes, [reader(level=-3.0)])
    text = "".join(path.read_text(encoding="utf-8") for path in wishes.set.folder.glob("*.*") if path.suffix != ".flac")
    assert "zaphodia" not in text.lower()
    assert [row.text[:12] for row in good.rows] == ["…, you are w", "May … be saf", "May … be wel", "May everybod"]
    page = wishes.review_page.read_text(encoding="utf-8")
    assert "on every road that leads out of it" in page
    shown = {cut(row.text) for row in good.rows}
    assert len(shown) == 4
    assert all(len(each) <= SHOWN for each in shown)
    assert wishes.command("undo", 2) == (f"metta takes undo {wishes.practice} 2 --set 'name=…' --minutes 3")


def test_where_all_work_is_private_the_review_has_no_text(takes, read, home):
    settings = home.parent / "settings.toml"
    settings.write_text(settings.read_text() + "private = true\n")
    review = import_takes(takes, [read()])
    assert review.rows[0].text
    page = takes.review_page.read_text(encoding="utf-8")
    record = (takes.set.folder / "review.json").read_text(encoding="utf-8")
    for line in takes.lines:
        assert line.text not in page
        assert line.text not in record


IMPORT = """
import sys
import metta_audio
from pathlib import Path
from metta_audio.rendering.takes import Takes
from metta_audio.rendering.taking import import_takes
import_takes(Takes(metta_audio.fill(metta_audio.load("visit.md"))), [Path(sys.argv[1])], numbered=True)
"""


def test_two_imports_at_once_lose_nothing(takes, read, home):
    names = ["1.wav", "2.wav"]
    for number, name in enumerate(names, 1):
        soundfile.write(home / name, read(number).samples, 22_050)
    running = [subprocess.Popen([sys.executable, "-c", IMPORT, name]) for name in names]
    assert [process.wait(timeout=120) for process in running] == [0, 0]
    assert all(same_reading(takes, number, read) for number in (1, 2))
    assert {path.name for path in takes.set.folder.glob("*") if path.suffix != ".flac"} == {
        ".lock",
        "index.json",
        "review.html",
        "review.json",
        "secret",
    }


def test_a_damaged_index_stops_an_import_before_anything_is_written(takes, read):
    import_takes(takes, [read()])
    index = takes.set.folder / "index.json"
    index.write_text("{")
    before = {path: path.read_bytes() for path in takes.set.folder.iterdir()}
    with pytest.raises(SoundError, match=r"index\.json is damaged"):
        import_takes(takes, [read(level=-3.0)])
    assert {path: path.read_bytes() for path in takes.set.folder.iterdir()} == before


def test_lines_read_in_another_order_are_taken_and_told(takes, read):
    order = [1, 2, 4, 3, 5, 6, 7, 9, 8, 10, 11, 12, 13, 14]
    review = import_takes(takes, [read(*order)])
    assert certain(review) == list(range(1, 15))
    (note,) = [note for note in review.notes if "another place" in note]
    assert {int(number) for number in note.rpartition(":")[2].split(",")} <= {3, 4, 8, 9}


def test_with_missing_a_whole_recording_gives_just_what_is_missing(takes, read):
    import_takes(takes, [read(*range(1, 8))])
    before = {line.number: takes.set.index().entry(line.key) for line in takes.lines[:7]}
    review = import_takes(takes, [read(*range(1, 15))], missing=True)
    assert [row.number for row in review.rows] == certain(review) == list(range(8, 15))
    assert not review.left_out
    assert before == {line.number: takes.set.index().entry(line.key) for line in takes.lines[:7]}


def test_a_sound_of_another_language_switches_no_comparison_off(fill, reader_of):
    takes = fill('# One\n\nThis is (plain)[ipa:"pɬɛɪn"] speech. May I be safe. May I be well. Here is the end of it.\n')
    reader = reader_of(takes)
    review = import_takes(takes, [reader()])
    assert certain(review) == [1, 2, 3, 4]
