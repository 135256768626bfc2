"""Piper: which models are found, what their configuration says, speakers, word times, noise."""

from __future__ import annotations

import itertools
import json
import os

import numpy as np
import pytest
import tiny_models
from hypothesis import given
from hypothesis import strategies as st
from utterances import said, sound

from metta_audio.errors import VoiceError
from metta_audio.script.model import Span
from metta_audio.speech.voice import Setup
from metta_audio.voices import catalogue
from metta_audio.voices.neural import Graph
from metta_audio.voices.piper import PiperEngine
from metta_audio.voices.piper.durations import with_durations
from metta_audio.voices.piper.model import read_model
from metta_audio.voices.registry import best_voice, find_engines, open_voice


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("voices")
    tiny_models.write_piper(folder / "piper")
    tiny_models.write_piper(folder / "piper", "en_GB-many-low", "en_GB", speakers=4, named={"anna": 2, "p 9": 3})
    tiny_models.write_piper(folder / "piper", "de_DE-tiny-low", "de_DE")
    return folder


@pytest.fixture
def engine(folder):
    return PiperEngine(Setup(voices=folder))


def catalogue_of(*names, place):
    """Voices in English, their sizes those of the files in ``place``."""

    def size(file):
        return (place / file).stat().st_size if (place / file).is_file() else 5

    languages = ("en-us",)
    download = [
        catalogue.Download(f"https://example.org/{file}", file, size(file), "")
        for name in names
        for file in (f"{name}.onnx", f"{name}.onnx.json")
    ]
    return tuple(
        catalogue.Fetchable(f"piper:{name}", languages, "CC0-1.0", "calm", tuple(download[2 * at : 2 * at + 2]))
        for at, name in enumerate(names)
    )


def test_it_is_found_by_its_entry_point_and_chosen_by_auto(folder):
    engines = find_engines(Setup(voices=folder))
    assert engines["piper"].problem() == ""
    assert best_voice(engines, "en-us") == "piper:en_US-tiny-low"
    assert best_voice(engines, "de-at") == "piper:de_DE-tiny-low"
    assert open_voice(engines, "piper", "en-gb").name == "piper:en_GB-many-low"


def test_models_of_ones_own_are_listed(engine):
    own = {info.name: info for info in engine.voices() if info.installed}
    assert set(own) == {"piper:en_US-tiny-low", "piper:en_GB-many-low", "piper:de_DE-tiny-low"}
    info = own["piper:en_GB-many-low"]
    assert (info.languages, info.quality, info.problem) == (("en-gb",), "natural", "")
    assert info.bytes > 1_000
    assert "4 speakers: piper:en_GB-many-low#NUMBER" in info.summary


def test_a_voice_of_the_catalogue_is_here_when_all_its_files_are(tmp_path, monkeypatch):
    tiny_models.write_piper(tmp_path / "piper")
    tiny_models.write_piper(tmp_path / "piper", "en_US-half-low").with_name("en_US-half-low.onnx.json").unlink()
    known = catalogue_of("en_US-tiny-low", "en_US-half-low", "en_US-none-low", place=tmp_path / "piper")
    monkeypatch.setattr("metta_audio.voices.piper.engine.fetchable", lambda name, setup: known)
    engine = PiperEngine(Setup(voices=tmp_path))
    infos = engine.voices()
    assert [(info.name.partition(":")[2], info.installed, info.licence) for info in infos] == [
        ("en_US-tiny-low", True, "CC0-1.0"),
        ("en_US-half-low", False, "CC0-1.0"),
        ("en_US-none-low", False, "CC0-1.0"),
    ]
    assert infos[0].problem == ""
    assert infos[1].problem == "not fetched yet: metta voices get piper:en_US-half-low"
    with pytest.raises(VoiceError, match="metta voices get piper:en_US-half-low"):
        engine.open("en_US-half-low", "en-us")


@pytest.mark.parametrize("end", [".onnx", ".onnx.json"])
@pytest.mark.parametrize("content", [b"", b"\x08\x08 garbage", None])
def test_a_fetched_file_of_another_size_is_damaged_and_never_chosen(end, content, tmp_path, monkeypatch):
    place = tmp_path / "piper"
    for name in ("en_US-a-low", "en_US-b-low"):
        tiny_models.write_piper(place, name)
    known = catalogue_of("en_US-a-low", "en_US-b-low", place=place)
    monkeypatch.setattr("metta_audio.voices.piper.engine.fetchable", lambda name, setup: known)
    engines = find_engines(Setup(voices=tmp_path))
    assert best_voice(engines, "en-us") == "piper:en_US-a-low"
    file = place / f"en_US-a-low{end}"
    file.write_bytes(file.read_bytes()[:-1] if content is None else content)
    told = "damaged: metta voices get piper:en_US-a-low fetches it again"
    info, _ = engines["piper"].voices()
    assert (info.installed, info.problem) == (False, told)
    assert best_voice(engines, "en-us") == "piper:en_US-b-low"
    with pytest.raises(VoiceError) as caught:
        engines["piper"].open("en_US-a-low", "en-us")
    assert caught.value.hint == told


def test_a_configuration_that_is_none_keeps_auto_from_a_fetched_voice(tmp_path, monkeypatch):
    config = tiny_models.write_piper(tmp_path / "piper").with_name("en_US-tiny-low.onnx.json")
    config.write_bytes(b"x" * config.stat().st_size)
    known = catalogue_of("en_US-tiny-low", place=tmp_path / "piper")
    monkeypatch.setattr("metta_audio.voices.piper.engine.fetchable", lambda name, setup: known)
    engines = find_engines(Setup(voices=tmp_path))
    (info,) = engines["piper"].voices()
    assert "is no configuration of a Piper voice" in info.problem
    assert not best_voice(engines, "en-us").startswith("piper")


def altered(folder, **changes):
    """A voice whose configuration has other values."""
    model = tiny_models.write_piper(folder / "piper")
    config = model.with_name(model.name + ".json")
    config.write_text(json.dumps({**json.loads(config.read_text()), **changes}))
    return model


@pytest.mark.parametrize(
    "changes",
    [
        {"inference": "x"}, {"inference": None}, {"inference": ["noise_w"]}, {"inference": {"noise_w": "0.8"}},
        {"audio": {"sample_rate": 1_000_000_000}}, {"audio": {"sample_rate": 96_001}},
        {"audio": {"sample_rate": 7_999}}, {"audio": {"sample_rate": 22050.5}}, {"num_speakers": 10**30},
        {"phoneme_id_map": {"_": [10**30], "^": [1], "$": [2]}},
    ],
)  # fmt: skip
def test_values_that_nobody_can_use_are_seen_before_it_speaks(changes, tmp_path):
    model = altered(tmp_path, **changes)
    engines = find_engines(Setup(voices=tmp_path))
    for variant in ("en_US-tiny-low", str(model)):
        with pytest.raises(VoiceError, match=r"en_US-tiny-low\.onnx\.json is no configuration of a Piper voice"):
            engines["piper"].open(variant, "en-us")
    assert not best_voice(engines, "en-us").startswith("piper")


@pytest.mark.parametrize(
    "changes", [{"inference": {}}, {"inference": {"noise_scale": 0.6, "phoneme_silence": {"a": 1}}}, {"extra": [1]}]
)
def test_what_a_configuration_may_leave_out_or_add(changes, tmp_path):
    altered(tmp_path, **changes)
    assert PiperEngine(Setup(voices=tmp_path)).open("", "en-us").languages == ("en-us",)


def test_whatever_piper_raises_at_a_configuration_is_told_as_ours(tmp_path):
    altered(tmp_path, vowel_clusters=3)  # piper-tts makes tuples of it, unasked
    with pytest.raises(VoiceError, match="is no configuration of a Piper voice"):
        said(PiperEngine(Setup(voices=tmp_path)).open("", "en-us"))


def test_a_catalogue_may_call_a_file_otherwise(tmp_path, monkeypatch):
    tiny_models.write_piper(tmp_path / "piper")
    (voice,) = catalogue_of("en_US-tiny-low", place=tmp_path / "piper")
    known = (catalogue.Fetchable("piper:calm", ("en-us",), "MIT", "", voice.downloads),)
    monkeypatch.setattr("metta_audio.voices.piper.engine.fetchable", lambda name, setup: known)
    engine = PiperEngine(Setup(voices=tmp_path))
    assert [(info.name, info.installed) for info in engine.voices()] == [("piper:calm", True)]
    assert said(engine.open("calm", "en-us")).wave.frames


def test_a_folder_of_the_settings_is_looked_into_too(tmp_path):
    tiny_models.write_piper(tmp_path / "mine", "en_US-mine-low")
    engine = PiperEngine(Setup(voices=tmp_path / "voices", tables={"piper": {"folder": str(tmp_path / "mine")}}))
    assert [info.name for info in engine.voices() if info.installed] == ["piper:en_US-mine-low"]
    assert said(engine.open("", "en-us")).wave.frames


def test_a_path_names_a_model(folder, engine, monkeypatch):
    path = folder / "piper" / "en_US-tiny-low.onnx"
    wanted = sound(said(engine.open("en_US-tiny-low", "en-us")))
    assert sound(said(engine.open(str(path), "en-us"))) == wanted
    monkeypatch.chdir(path.parent)
    monkeypatch.setenv("HOME", str(path.parent))
    for variant in ("./en_US-tiny-low.onnx", "en_US-tiny-low.onnx"):
        voice = open_voice(find_engines(Setup()), f"piper:{variant}", "en-us")
        assert voice.name == f"piper:{variant}"
        assert sound(said(voice)) == wanted
    if os.name == "posix":
        assert sound(said(engine.open("~/en_US-tiny-low.onnx", "en-us"))) == wanted
    with pytest.raises(VoiceError, match="there is no file"):
        engine.open("./none.onnx", "en-us")
    with pytest.raises(VoiceError, match="no speaker"):
        engine.open(f"{path.parent / 'en_GB-many-low.onnx'}#9", "en-gb")


def test_the_json_may_be_called_without_onnx(tmp_path):
    model = tiny_models.write_piper(tmp_path)
    model.with_name(model.name + ".json").rename(model.with_suffix(".json"))
    assert said(PiperEngine(Setup()).open(str(model), "en-us")).wave.frames


def test_speakers_are_chosen_by_number_or_name(engine):
    voices = {
        variant: engine.open(f"en_GB-many-low{variant}", "en-gb") for variant in ("", "#0", "#2", "#anna", "#p 9")
    }
    sounds = {variant: sound(said(voice)) for variant, voice in voices.items()}
    assert sounds[""] == sounds["#0"] != sounds["#2"] == sounds["#anna"] != sounds["#p 9"]
    assert voices["#2"].fingerprint == voices["#anna"].fingerprint != voices["#0"].fingerprint
    with pytest.raises(VoiceError, match='did you mean "anna"'):
        engine.open("en_GB-many-low#ana", "en-gb")
    with pytest.raises(VoiceError, match="from 0 to 3"):
        engine.open("en_GB-many-low#4", "en-gb")
    with pytest.raises(VoiceError, match="one speaker only"):
        engine.open("en_US-tiny-low#1", "en-us")


def test_speakers_of_a_model_share_its_graph(engine):
    assert engine.open("en_GB-many-low#1", "en-gb")._graph is engine.open("en_GB-many-low#2", "en-gb")._graph


def test_roles_are_cast_from_models_and_then_from_speakers(engine):
    assert engine.cast("", "en-us", 3) == ["en_US-tiny-low", "en_GB-many-low", "en_US-tiny-low"]
    assert engine.cast("en_GB-many-low", "en-gb", 4) == [
        "en_GB-many-low", "en_US-tiny-low", "en_GB-many-low#1", "en_GB-many-low#2",
    ]  # fmt: skip
    assert engine.cast("en_GB-many-low#1", "en-gb", 3)[0] == "en_GB-many-low#1"
    for roles in range(1, 9):
        assert len(engine.cast("de_DE-tiny-low", "de", roles)) == roles
    for variant in engine.cast("en_GB-many-low#1", "en-gb", 5):
        engine.open(variant, "en-gb")


def test_a_language_that_no_model_speaks_is_refused(engine):
    with pytest.raises(VoiceError, match='no Piper voice for "xx" is here'):
        engine.open("", "xx")


def test_the_language_is_read_from_the_configuration(tmp_path):
    model = tiny_models.write_piper(tmp_path)
    config = model.with_name(model.name + ".json")
    settings = json.loads(config.read_text())
    del settings["language"]
    settings["espeak"]["voice"] = "pt-br"
    config.write_text(json.dumps(settings))
    assert read_model(model, "").language == "pt-br"


@pytest.mark.parametrize(
    "content",
    [
        b"", b"{", b"[]", b"3", b"null", b"{}", b"\xff\xfe\x00", b'{"audio": 3}', b"[" * 100_000,
        b'{"espeak":{"voice":3},"audio":{"sample_rate":22050},"num_speakers":1,"num_symbols":9,"phoneme_id_map":{}}',
        b'{"espeak":{"voice":"en"},"audio":{"sample_rate":0},"num_speakers":1,"num_symbols":9,"phoneme_id_map":{"_":[0]}}',
        b'{"espeak":{"voice":"en"},"audio":{"sample_rate":1},"num_speakers":1,"num_symbols":9,"phoneme_id_map":{"_":"a"}}',
    ],
)  # fmt: skip
def test_a_broken_configuration_is_named(content, tmp_path):
    model = tiny_models.write_piper(tmp_path / "piper")
    config = model.with_name(model.name + ".json")
    config.write_bytes(content)
    engine = PiperEngine(Setup(voices=tmp_path))
    with pytest.raises(VoiceError, match=r"en_US-tiny-low\.onnx\.json"):
        engine.open("en_US-tiny-low", "en-us")
    info = next(info for info in engine.voices() if info.installed)
    assert str(config) in info.problem


def test_an_espeak_voice_that_is_none_is_named(tmp_path):
    tiny_models.write_piper(tmp_path / "piper", espeak="klingonish")
    with pytest.raises(VoiceError, match="names an eSpeak NG voice"):
        said(PiperEngine(Setup(voices=tmp_path)).open("", "en-us"))


@pytest.mark.parametrize("kind", ["pinyin", "hebrew", "japanese", "thai", "nonsense"])
def test_phonemes_that_need_more_packages_are_refused_and_say_so(kind, tmp_path):
    tiny_models.write_piper(tmp_path / "piper", kind=kind)
    engine = PiperEngine(Setup(voices=tmp_path))
    assert f'"{kind}"' in next(info for info in engine.voices() if info.installed).problem
    with pytest.raises(VoiceError, match="further packages"):
        engine.open("en_US-tiny-low", "en-us")


def test_a_model_of_letters_speaks_and_reads_no_ipa(tmp_path):
    tiny_models.write_piper(tmp_path / "piper", kind="text")
    voice = PiperEngine(Setup(voices=tmp_path)).open("", "en-us")
    assert not voice.ipa
    assert sound(said(voice, "may ^you$ be_well")) == sound(said(voice, "may you bewell"))


def test_noise_is_switched_off(folder, tmp_path, monkeypatch):
    """The tiny model draws lots as real ones do: with either noise on, no two runs are alike."""
    voice = PiperEngine(Setup(voices=folder)).open("en_US-tiny-low", "en-us")
    assert sound(said(voice)) == sound(said(voice))
    feeds = []
    run = Graph.run
    monkeypatch.setattr(Graph, "run", lambda self, names, given: feeds.append(given) or run(self, names, given))
    said(voice)
    scales = feeds[0]["scales"]
    assert (scales[0], scales[2]) == (0, 0)
    for place in (0, 2):
        noisy = {**feeds[0], "scales": scales + np.eye(3, dtype=np.float32)[place]}
        assert run(voice._graph, None, noisy)[0].tobytes() != run(voice._graph, None, noisy)[0].tobytes()


@pytest.mark.parametrize("told", [False, True])
def test_word_times_come_from_the_graph_whether_it_tells_them_or_not(told, tmp_path):
    tiny_models.write_piper(tmp_path / "piper", durations=told)
    speech = said(PiperEngine(Setup(voices=tmp_path)).open("", "en-us"), "Rest. Rest.")
    wave = np.abs(speech.wave.samples[:, 0])
    onset = speech.words[1].onset
    # The second word begins where its sound does, after the pause of the full stop.
    assert wave[onset - 2_000 : onset].max() < 0.01 < wave[onset : onset + 600].max()


def test_durations_are_appended_once_and_only_to_a_graph(tmp_path):
    model = tiny_models.write_piper(tmp_path).read_bytes()
    told = with_durations(model)
    assert told.startswith(model)
    assert with_durations(told) == told
    assert len(told) - len(model) < 30
    for other in (b"", b"<html>", model[:500], b"\x3a\xff\xff\xff\xff\x7f"):
        assert with_durations(other) == other


@given(st.binary(max_size=60))
def test_no_bytes_are_too_odd(content):
    assert with_durations(content).startswith(content)


def test_without_durations_there_are_no_word_times(tmp_path, monkeypatch):
    tiny_models.write_piper(tmp_path / "piper")
    monkeypatch.setattr("metta_audio.voices.piper.engine.with_durations", lambda model: model)
    assert said(PiperEngine(Setup(voices=tmp_path)).open("", "en-us")).words == ()


def test_punctuation_after_a_word_in_ipa_is_kept(engine):
    voice = engine.open("en_US-tiny-low", "en-us")
    mark = Span(4, 9, "ipa", "ˈmɛtə")
    plain, comma = said(voice, "May metta grow here.", mark), said(voice, "May metta, grow here.", mark)
    assert comma.wave.frames > plain.wave.frames
    starts = [[word.onset for word in speech.words] for speech in (plain, comma)]
    gaps = [[later - earlier for earlier, later in itertools.pairwise(row)] for row in starts]
    assert gaps[1][1] > gaps[0][1]
    assert gaps[1][0] == gaps[0][0]


def test_arabic_and_hindi_are_spoken(tmp_path):
    for name, language, text in (("ar", "ar_JO", "السلام عليكم"), ("hi", "hi_IN", "आप सुखी रहें")):
        tiny_models.write_piper(tmp_path / "piper", f"{language}-tiny-low", language, espeak=name)
        voice = PiperEngine(Setup(voices=tmp_path)).open(f"{language}-tiny-low", name)
        assert said(voice, text).wave.seconds > 0.3


@pytest.mark.parametrize("half", [".onnx", ".onnx.json"])
def test_a_broken_model_of_ones_own_is_named_where_no_other_can_speak(half, tmp_path):
    graph = tiny_models.write_piper(tmp_path / "mine", "mine")
    file = graph.with_name(f"mine{half}")
    file.write_text("garbage")
    engines = find_engines(Setup(voices=tmp_path, tables={"piper": {"folder": str(tmp_path / "mine")}}))
    with pytest.raises(VoiceError, match="metta voices get piper:en_US") as caught:
        open_voice(engines, "piper", "en-us")
    assert "piper:mine: " in caught.value.what
    assert str(file) in caught.value.what
    with pytest.raises(VoiceError, match='no Piper voice for "fi"'):
        engines["piper"].open("", "fi")
