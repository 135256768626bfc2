"""Kokoro: its files, its styles and languages, speeds below 1, long lines, word times."""

from __future__ import annotations

import shutil
from dataclasses import replace

import numpy as np
import pytest
import tiny_models
from utterances import said, sound

from metta_audio.errors import VoiceError
from metta_audio.script.model import Span
from metta_audio.speech.activity import articulation
from metta_audio.speech.calibration import calibration_text
from metta_audio.speech.voice import Setup
from metta_audio.speech.words import word_ranges
from metta_audio.voices.catalogue import fetchable
from metta_audio.voices.kokoro import KokoroEngine
from metta_audio.voices.neural import Graph
from metta_audio.voices.registry import best_voice, find_engines, open_voice


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("voices")
    tiny_models.write_kokoro(folder / "kokoro", durations=True)
    return folder


@pytest.fixture
def engine(folder):
    return KokoroEngine(Setup(voices=folder))


def fetched(place, monkeypatch):
    """Tiny files by the names of those that are fetched, and a catalogue that knows their sizes; their paths."""
    known = fetchable("kokoro", Setup())
    paths = [
        path.rename(place / each.file)
        for path, each in zip(tiny_models.write_kokoro(place), known[0].downloads, strict=True)
    ]
    downloads = tuple(
        replace(each, bytes=path.stat().st_size) for path, each in zip(paths, known[0].downloads, strict=True)
    )
    known = tuple(replace(voice, downloads=downloads) for voice in known)
    monkeypatch.setattr("metta_audio.voices.kokoro.engine.fetchable", lambda name, setup: known)
    return paths


@pytest.mark.parametrize("number", [0, 1])
@pytest.mark.parametrize("content", [b"", b"\x08\x08 garbage", None])
def test_a_fetched_file_of_another_size_is_damaged_and_never_chosen(number, content, tmp_path, monkeypatch):
    path = fetched(tmp_path / "kokoro", monkeypatch)[number]
    engines = find_engines(Setup(voices=tmp_path))
    assert best_voice(engines, "en-us") == "kokoro:af_heart"
    path.write_bytes(path.read_bytes()[:-1] if content is None else content)
    infos = engines["kokoro"].voices()
    assert not any(info.installed for info in infos)
    assert infos[0].problem == "damaged: metta voices get kokoro:af_heart fetches it again"
    assert not best_voice(engines, "en-us").startswith("kokoro")
    with pytest.raises(VoiceError, match="is damaged") as caught:
        engines["kokoro"].open("", "fr")
    assert str(path) in caught.value.what
    assert caught.value.hint == "fetch it again: metta voices get kokoro:ff_siwis"


@pytest.mark.parametrize(("language", "wanted"), [("en-us", "af_heart"), ("fr", "ff_siwis"), ("pt-pt", "pf_dora")])
def test_what_is_to_be_fetched_speaks_the_language(language, wanted, tmp_path):
    engine = KokoroEngine(Setup(voices=tmp_path))
    for use in (lambda: engine.open("", language), lambda: engine.cast("", language, 2)):
        with pytest.raises(VoiceError, match="is not here") as caught:
            use()
        assert caught.value.hint == f"fetch it: metta voices get kokoro:{wanted}"
    with pytest.raises(VoiceError, match="metta voices get kokoro:am_puck"):
        engine.open("am_puck", "en-us")


def test_nothing_is_to_be_fetched_that_does_not_speak_the_language(tmp_path):
    engine = KokoroEngine(Setup(voices=tmp_path))
    uses = [lambda: engine.open("", "de"), lambda: engine.cast("", "de", 2), lambda: engine.open("af_heart", "de")]
    for use in uses:
        with pytest.raises(VoiceError, match='"de"') as caught:
            use()
        assert "get" not in caught.value.hint


def test_it_is_found_by_its_entry_point_and_chosen_by_auto(folder):
    engines = find_engines(Setup(voices=folder))
    assert engines["kokoro"].problem() == ""
    assert best_voice(engines, "en-us") == "kokoro:af_heart"
    assert best_voice(engines, "en-gb") == "kokoro:bf_emma"
    assert best_voice(engines, "es-mx") == "kokoro:ef_dora"
    assert open_voice(engines, "kokoro", "fr").name == "kokoro:ff_siwis"


def test_the_styles_that_are_here_are_listed_and_the_others_can_be_fetched(engine, folder):
    infos = {info.name: info for info in engine.voices()}
    here = {name.partition(":")[2] for name, info in infos.items() if info.installed}
    assert here == set(tiny_models.KOKORO_STYLES)
    heart = infos["kokoro:af_heart"]
    assert (heart.languages, heart.quality, heart.problem) == (("en-us",), "natural", "")
    assert heart.bytes == sum(path.stat().st_size for path in (folder / "kokoro").iterdir())
    assert infos["kokoro:am_puck"].problem == "not fetched yet: metta voices get kokoro:am_puck"


def test_japanese_is_listed_with_what_is_missing(engine):
    info = next(info for info in engine.voices() if info.name == "kokoro:jf_alpha")
    assert info.languages == ("ja",)
    assert "phonemiser" in info.problem
    with pytest.raises(VoiceError, match="phonemiser"):
        engine.open("jf_alpha", "ja")


def test_files_may_lie_where_the_settings_say(tmp_path):
    model, voices = tiny_models.write_kokoro(tmp_path / "mine")
    table = {"model": str(model.rename(tmp_path / "m.onnx")), "voices": str(voices.rename(tmp_path / "v.bin"))}
    engine = KokoroEngine(Setup(voices=tmp_path / "none", tables={"kokoro": table}))
    assert engine.problem() == ""
    assert said(engine.open("", "en-us")).wave.frames
    (tmp_path / "v.bin").unlink()
    with pytest.raises(VoiceError, match=r"there is no file .*v\.bin") as caught:
        engine.open("", "en-us")
    assert "[kokoro]" in caught.value.hint
    assert all(not info.installed and "v.bin" in info.problem for info in engine.voices())


def test_any_model_in_the_folder_will_do_and_the_usual_one_is_preferred(tmp_path, monkeypatch):
    place = tmp_path / "kokoro"
    model, _ = fetched(place, monkeypatch)
    (place / "a.onnx").write_bytes(b"no model")
    assert said(KokoroEngine(Setup(voices=tmp_path)).open("", "en-us")).wave.frames
    (place / "a.onnx").unlink()
    voices = place / "voices-v1.0.bin"
    model.rename(place / "kokoro-int8.onnx")
    voices.rename(place / "voices-mine.bin")
    assert said(KokoroEngine(Setup(voices=tmp_path)).open("", "en-us")).wave.frames


def test_roles_are_cast_by_contrast(engine):
    assert engine.cast("", "en-us", 4) == ["af_heart", "am_michael", "af_bella", "bm_george"]
    assert engine.cast("bm_george", "en-gb", 2)[1] in ("bf_emma", "af_heart")
    assert engine.cast("ef_dora", "es", 3) == ["ef_dora"] * 3


def test_styles_sound_unlike_each_other(engine):
    one, two = engine.open("af_heart", "en-us"), engine.open("am_michael", "en-us")
    assert sound(said(one)) != sound(said(two))
    assert one.fingerprint != two.fingerprint
    assert one._graph is two._graph


def test_a_style_speaks_its_own_accent(engine):
    assert sound(said(engine.open("bf_emma", "en-us"))) == sound(said(engine.open("bf_emma", "en-gb")))


def test_a_language_that_no_style_speaks_is_refused(engine):
    with pytest.raises(VoiceError, match='no Kokoro voice here speaks "de"'):
        engine.open("", "de")


def test_a_style_with_a_name_of_its_own_speaks_the_language_asked_for(tmp_path):
    tiny_models.write_kokoro(tmp_path / "kokoro", styles=("af_heart", "blend"))
    engine = KokoroEngine(Setup(voices=tmp_path))
    assert next(info for info in engine.voices() if info.name == "kokoro:blend").languages == ()
    english, french = engine.open("blend", "en-us"), engine.open("blend", "fr-ca")
    assert sound(said(english, "Bonjour")) != sound(said(french, "Bonjour"))
    with pytest.raises(VoiceError, match="does not speak"):
        engine.open("blend", "de")


@pytest.mark.parametrize("content", [b"", b"<html>no</html>", b"PK\x03\x04 half", b"\x93NUMPY\x01\x00"])
def test_a_voices_file_that_is_none_is_named(content, tmp_path):
    _, voices = tiny_models.write_kokoro(tmp_path / "kokoro")
    voices.write_bytes(content)
    engine = KokoroEngine(Setup(voices=tmp_path))
    with pytest.raises(VoiceError) as caught:
        engine.open("", "en-us")
    assert str(voices) in caught.value.what
    assert not any(info.installed for info in engine.voices())


def test_a_damaged_style_is_named(tmp_path):
    _, voices = tiny_models.write_kokoro(tmp_path / "kokoro")
    content = bytearray(voices.read_bytes())
    content[60:120] = bytes(60)
    voices.write_bytes(content)
    with pytest.raises(VoiceError, match=r"voices-tiny\.bin"):
        said(KokoroEngine(Setup(voices=tmp_path)).open("af_heart", "en-us"))


def test_styles_of_another_shape_are_named(tmp_path):
    _, voices = tiny_models.write_kokoro(tmp_path / "kokoro")
    for shape in ((510, 256), (510, 1, 128), (3,), ()):
        with voices.open("wb") as file:
            np.savez(file, af_heart=np.zeros(shape, np.float32))
        with pytest.raises(VoiceError, match="kokoro"):
            said(KokoroEngine(Setup(voices=tmp_path)).open("af_heart", "en-us"))


# Speeds


@pytest.mark.parametrize("tokens", ["tokens", "input_ids"])
def test_speeds_below_one_reach_the_graph_as_they_are(tokens, tmp_path, monkeypatch):
    tiny_models.write_kokoro(tmp_path / "kokoro", tokens=tokens)
    voice = KokoroEngine(Setup(voices=tmp_path)).open("", "en-us")
    said(voice)
    speeds = []
    run = Graph.run
    monkeypatch.setattr(
        Graph, "run", lambda self, names, given: speeds.append(given["speed"].copy()) or run(self, names, given)
    )
    lengths = [articulation(said(voice, rate=rate).wave) for rate in (90, 110, 150)]
    assert [speed.dtype for speed in speeds] == [np.float32] * 3
    assert 0.5 < speeds[0][0] < speeds[1][0] < speeds[2][0] < 1
    assert lengths[0] / lengths[2] == pytest.approx(150 / 90, rel=0.1)


def test_a_graph_with_whole_speeds_never_speaks_at_another_rate(tmp_path, capfd):
    tiny_models.write_kokoro(tmp_path / "kokoro", whole_speed=True)
    voice = KokoroEngine(Setup(voices=tmp_path)).open("", "en-us")
    assert list(voice._settings()) == [1]
    with pytest.raises(VoiceError, match="whole numbers as its speed") as caught:
        said(voice, rate=110)
    own = float(caught.value.hint.removeprefix("ask for ").partition(",")[0])
    assert "kokoro-v1.0.onnx" in caught.value.hint
    text = calibration_text("en")
    speech = said(voice, text, rate=own)
    assert len(word_ranges(text)) * 60 / articulation(speech.wave) == pytest.approx(own, rel=0.1)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("installed", ["0.4.9", "0.5.0", "0.5"])
def test_an_old_package_that_cuts_speeds_down_is_refused(installed, folder, monkeypatch):
    monkeypatch.setattr("metta_audio.voices.kokoro.engine.version", lambda package: installed)
    problem = KokoroEngine(Setup(voices=folder)).problem()
    assert installed in problem
    assert problem.endswith('pip install --upgrade "metta-audio[kokoro]"')


# What is said


def test_more_phonemes_than_the_model_takes_are_spoken(engine):
    once = "May everyone, near and far, live with ease and kindness, "
    text = once * 30
    voice = engine.open("", "en-us")
    speech = said(voice, text)
    assert articulation(speech.wave) == pytest.approx(30 * articulation(said(voice, once).wave), rel=0.1)
    assert len(speech.words) == len(word_ranges(text))
    assert speech.words[-1].onset > 0.95 * speech.wave.frames - speech.wave.rate


def test_foreign_words_do_not_bring_the_names_of_languages(engine):
    """eSpeak NG marks them with flags such as (en), which the model would read out."""
    voice = engine.open("ff_siwis", "fr-fr")
    assert "(" not in voice._phonemes("Le weekend feeling, smoothie, meeting, software, shopping.")


def test_without_durations_there_are_no_word_times(tmp_path):
    tiny_models.write_kokoro(tmp_path / "kokoro")
    assert said(KokoroEngine(Setup(voices=tmp_path)).open("", "en-us")).words == ()


def test_only_ipa_is_spoken_too(engine):
    voice = engine.open("", "en-us")
    assert said(voice, "metta bhavana", Span(0, 5, "ipa", "ˈmɛtə"), Span(6, 13, "ipa", "ˈbʰɑːvənɑː")).wave.seconds > 0.5


def test_the_environment_does_not_choose_another_library(engine, monkeypatch, tmp_path):
    import espeakng_loader
    from phonemizer.backend.espeak.wrapper import EspeakWrapper

    from metta_audio.voices.kokoro import voice as module

    ours = espeakng_loader.get_library_path()
    monkeypatch.setenv("PHONEMIZER_ESPEAK_LIBRARY", shutil.copy(ours, tmp_path))
    module._phonemiser.cache_clear()
    said(engine.open("ef_dora", "es"), "Que estés en paz.")
    assert str(EspeakWrapper.library()) == str(ours)
