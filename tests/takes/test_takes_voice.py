from __future__ import annotations

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from mutagen.id3 import ID3

import metta_audio
from metta_audio.encode.tags import PARTLY_SYNTHETIC, SYNTHETIC, SYNTHETIC_KEY
from metta_audio.errors import SettingsError, VoiceError
from metta_audio.rendering.takes import list_takes
from metta_audio.rendering.taking import import_takes
from metta_audio.settings import read_settings
from metta_audio.sound.wave import Wave
from metta_audio.speech.clip import LEAD, make_clip
from metta_audio.speech.utter import LONGEST, utter
from metta_audio.speech.voice import MissingTake, Setup, Utterance, chain_of
from metta_audio.takes.index import Entry, Index, Take
from metta_audio.takes.lines import key
from metta_audio.units import RATE
from metta_audio.voices.registry import cast_roles, find_engines, open_voice
from metta_audio.voices.takes import TakesEngine


def engine():
    return TakesEngine(read_settings().setup())


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """Where the takes of a whole reading wait for the next test, once one has made them."""
    return tmp_path_factory.mktemp("kept") / "mine"


@pytest.fixture
def mine(takes, read, kept):
    if not kept.exists():
        import_takes(takes, [read()])
        shutil.copytree(takes.set.folder, kept)
    else:
        shutil.copytree(kept, takes.set.folder)
    return engine().open("mine", "en-us")


def test_a_voice_says_each_line_as_it_was_read(mine, takes, read):
    for line in takes.lines:
        speech = mine.speak(Utterance(line.text), 110)
        clip = make_clip(speech, chain_of(mine))
        assert clip.wave.rate == RATE
        assert clip.wave.seconds == pytest.approx(read.words(line.text).seconds, abs=0.15)
        assert [line.text[word.start : word.end] for word in clip.words] == line.text.split()
        assert clip.words[0].onset / RATE == pytest.approx(LEAD, abs=0.002)


def test_words_begin_while_somebody_speaks_and_in_order(mine, takes):
    line = max(takes.lines, key=lambda line: line.words)
    speech = mine.speak(Utterance(line.text), 110)
    onsets = [word.onset for word in speech.words]
    assert onsets == sorted(set(onsets))
    assert onsets[0] > 0.2 * speech.wave.rate
    assert onsets[-1] < speech.wave.frames - 0.3 * speech.wave.rate


def test_rate_case_and_role_change_nothing(mine, takes):
    text = takes.lines[3].text
    said = [mine.speak(Utterance(each), rate).wave.samples for each, rate in ((text, 90), (text.upper(), 160))]
    np.testing.assert_array_equal(*said)


def test_a_line_that_was_not_recorded_is_missed_without_being_repeated(mine):
    with pytest.raises(MissingTake) as caught:
        mine.speak(Utterance("Dear Kim, be well."), 110)
    assert caught.value.what == "this line has not been recorded"
    assert "a take of mine" in caught.value.hint
    assert "--fallback" in caught.value.hint
    assert "Kim" not in str(caught.value)


def test_a_lost_take_is_an_error_and_not_a_missing_one(mine, takes):
    (takes.set.folder / takes.set.index().current(takes.lines[3].key).file).unlink()
    with pytest.raises(VoiceError, match="line 4 of visit") as caught:
        mine.speak(Utterance(takes.lines[3].text), 110)
    assert not isinstance(caught.value, MissingTake)


def test_another_take_is_another_fingerprint(mine, takes, read):
    before = mine.fingerprint
    assert engine().open("mine", "de").fingerprint == before
    takes.drop(3)
    assert engine().open("mine", "en-us").fingerprint != before
    takes.undo(3)
    assert engine().open("mine", "en-us").fingerprint == before


def test_one_person_speaks_all_roles(mine):
    engines = find_engines(read_settings().setup())
    roles = ["guide", "self", "counter"]
    assert set(cast_roles(engines, "takes:mine", "en-us", roles, {}).values()) == {"takes:mine"}
    assert set(cast_roles(engines, "takes", "en-us", roles, {}).values()) == {"takes:mine"}
    assert open_voice(engines, "takes:mine", "en-gb").name == "takes:mine"
    with pytest.raises(VoiceError, match='does not speak "de"'):
        open_voice(engines, "takes:mine", "de")


def test_the_list_says_what_there_is(mine, takes):
    (info,) = engine().voices()
    assert (info.name, info.languages, info.quality) == ("takes:mine", ("en-us",), "human")
    assert info.summary == f"{len(takes.lines)} recorded lines"
    assert info.bytes > 0
    assert engine().problem() == ""


def test_without_takes_it_says_what_to_do(tmp_path):
    empty = TakesEngine(Setup(takes=tmp_path / "none"))
    assert "metta takes sheet" in empty.problem()
    assert empty.voices() == []


@pytest.mark.parametrize(("variant", "hint"), [("mien", 'did you mean "mine"'), ("../mine", "mine"), ("x/y", "mine")])
def test_unknown_names(mine, variant, hint):
    with pytest.raises(VoiceError) as caught:
        engine().open(variant, "en-us")
    assert hint in caught.value.hint


def test_of_several_one_must_be_named(mine, takes, read):
    from metta_audio.rendering.takes import Takes

    import_takes(Takes(takes.session, "ours"), [read(1, 2, 3)])
    with pytest.raises(VoiceError, match="which takes"):
        engine().open("", "en-us")


def test_a_damaged_set_is_listed_with_its_problem(mine, takes):
    (takes.set.folder / "index.json").write_text("{")
    (info,) = engine().voices()
    assert "damaged" in info.problem
    with pytest.raises(VoiceError, match="damaged"):
        engine().open("mine", "en-us")


def test_what_changes_nothing_is_told(mine, takes):
    for change, told in ((takes.undo, "no older take"), (takes.accept, "no doubtful take")):
        with pytest.raises(SettingsError, match=told):
            change(3)
    takes.drop(3)
    with pytest.raises(SettingsError, match="no take to drop"):
        takes.drop(3)


def test_one_damaged_set_hides_no_other(mine, takes):
    broken = takes.set.folder.parent / "broken"
    broken.mkdir()
    (broken / "index.json").write_text("{")
    listed = {each.name: each for each in list_takes()}
    assert "damaged" in listed["broken"].problem
    assert listed[takes.name].lines > 0
    assert not listed[takes.name].problem


def test_doubtful_takes_that_are_spoken_are_told_with_the_command_that_lists_them(takes, read, doubt):
    asked = replace(takes, asked=("visit.md", "--minutes", "3"))
    import_takes(asked, [read(1, 2, 3, 4, 5, 6, 8, 9)])
    doubt(takes, 2, 4)
    voice = engine().open("mine", "en-us")
    assert voice.note == ""
    doubtful = [line for line in takes.lines if (take := takes.set.index().current(line.key)) and take.doubtful]
    for line in doubtful[:2]:
        assert voice.has(Utterance(line.text))
    assert voice.note == (
        "2 doubtful takes were spoken, which may be of other lines: listen to them "
        "(metta takes check visit.md --minutes 3 lists them)"
    )
    voice = engine().open("mine", "en-us")
    voice.has(Utterance(doubtful[0].text))
    voice.has(Utterance(doubtful[0].text))
    assert voice.note.startswith("1 doubtful take was spoken")


def test_one_take_is_one_piece_however_long_its_line(takes):
    text = " ".join(["Rest,"] * 160)
    assert len(text) >= 900 > LONGEST
    wave = Wave.mono(np.sin(np.arange(44_100 * 20) / 20) / 2)
    take = Take(takes.set.write(wave), wave.rate, wave.frames, 20.0, 150.0, "visit.md", 1)
    takes.set.update(lambda index: index.with_entry(key(text), Entry(take)))
    speech = utter(engine().open("mine", "en-us"), Utterance(text), 110)
    np.testing.assert_allclose(speech.wave.samples, wave.samples, atol=2**-22)
    assert len(speech.words) == 160


def test_takes_of_the_time_before_secrets_are_spoken(mine, takes):
    path = takes.set.folder / "index.json"
    record = json.loads(path.read_text())
    index = takes.set.index()
    names = {next(iter(Index({line.key: Entry()}).under(index.secret).entries)): line.key for line in takes.lines}
    lines = {names[name]: line for name, line in record["lines"].items()}
    path.write_text(json.dumps({"schema": "metta_audio.takes/1", "languages": ["en-us"], "lines": lines}))
    (takes.set.folder / "secret").unlink()
    voice = engine().open("mine", "en-us")
    assert all(voice.has(Utterance(line.text)) for line in takes.lines)
    takes.drop(1)
    assert [voice.has(Utterance(line.text)) for line in takes.lines].count(False) == 0
    assert [engine().open("mine", "en-us").has(Utterance(line.text)) for line in takes.lines].count(False) == 1


def disclosed(options):
    """What the tags of a recording say of computers."""
    session = metta_audio.fill(metta_audio.load("visit.md"), minutes=2)
    metta_audio.render(metta_audio.plan(session, options)).save("out.mp3")
    tags = ID3("out.mp3")
    said = [str(frame) for frame in tags.getall("TXXX") if frame.desc == SYNTHETIC_KEY]
    assert all(text in str(tags.getall("COMM")[0]) for text in said)
    return said


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"voice": "takes:mine"}, []),
        ({"voice": "takes:mine", "roles": {"self": "tone"}}, [PARTLY_SYNTHETIC]),
        ({"voice": "tone", "fallback": "takes:mine"}, [SYNTHETIC]),
    ],
    ids=["a person", "a person and a machine", "a machine"],
)
def test_a_recording_says_whether_a_computer_speaks_in_it(mine, asked, said):
    assert disclosed(metta_audio.Options(bed="none", **asked)) == said
