"""What both neural engines promise, with models of a few kB that the tests make."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import tiny_models
from hypothesis import given
from hypothesis import strategies as st
from utterances import said, sound

from metta_audio.errors import VoiceError
from metta_audio.script.model import Span
from metta_audio.sound.chain import Chain
from metta_audio.speech.activity import articulation, stretches
from metta_audio.speech.clip import make_clip
from metta_audio.speech.voice import Setup, Utterance, chain_of, is_concurrent, languages_of, reads_ipa
from metta_audio.speech.words import word_ranges
from metta_audio.voices.neural import Graph, digest
from metta_audio.voices.neural import graph as graphs
from metta_audio.voices.neural.matching import word_starts
from metta_audio.voices.neural.reading import ipa_symbols, is_sound, parts
from metta_audio.voices.registry import best_voice, find_engines, open_voice

ENGINES = ("piper", "kokoro")
LINE = "May you be well, and may the body rest in the chair that holds it today."
PASSAGE = (
    "However you are sitting is fine. Eyes can be open, half open or closed. You may notice the sounds around you, "
    "near and far, and let them be there. Bring to mind someone you care about, and see them as they smile. If sadness "
    "comes, it is welcome here too. You might feel warmth, or pressure, or nothing much at all. Each time you return "
    "you are strengthening kindness and patience."
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Voices whose graphs draw lots, and tell durations."""
    folder = tmp_path_factory.mktemp("voices")
    tiny_models.write_piper(folder / "piper", speakers=3, named={"anna": 1})
    tiny_models.write_kokoro(folder / "kokoro", draws=True, durations=True)
    return folder


@pytest.fixture(scope="module")
def engines(folder):
    return find_engines(Setup(voices=folder))


@pytest.fixture(scope="module", params=ENGINES)
def voice(request, engines):
    return open_voice(engines, request.param, "en-us")


def test_it_speaks_mono_and_says_what_it_is(voice):
    speech = said(voice, LINE)
    assert speech.wave.channels == 1
    assert speech.wave.rate in (22_050, 24_000)
    assert len(stretches(speech.wave)) >= 1
    assert reads_ipa(voice)
    assert is_concurrent(voice)
    assert isinstance(chain_of(voice), Chain)
    assert make_clip(speech, chain_of(voice)).wave.frames > 0


@pytest.mark.parametrize("rate", [90, 110, 135, 160])
def test_it_speaks_at_the_rate_asked_for(voice, rate):
    taken = articulation(said(voice, PASSAGE, rate=rate).wave)
    assert len(word_ranges(PASSAGE)) * 60 / taken == pytest.approx(rate, rel=0.1)


@pytest.mark.parametrize(
    ("engine", "wrong", "right"), [("piper", "en_US-tinny-low", "en_US-tiny-low"), ("kokoro", "af_hart", "af_heart")]
)
def test_an_unknown_name_gets_a_suggestion(engine, wrong, right, engines):
    with pytest.raises(VoiceError, match=f'no voice "{wrong}"') as caught:
        engines[engine].open(wrong, "en-us")
    assert caught.value.hint == f'did you mean "{right}"? metta voices lists all'
    with pytest.raises(VoiceError) as caught:
        engines[engine].open("qqqq", "en-us")
    assert caught.value.hint == "metta voices lists all"


def test_a_rate_out_of_reach_is_refused_with_the_range(voice):
    with pytest.raises(VoiceError, match="choose a rate from"):
        said(voice, LINE, rate=900)


def test_the_same_line_sounds_the_same_whatever_was_spoken_before(voice, folder):
    first = sound(said(voice, LINE))
    said(voice, "Something else entirely.", rate=140)
    assert sound(said(voice, LINE)) == first
    engine = voice.name.partition(":")[0]
    fresh = open_voice(find_engines(Setup(voices=folder)), engine, "en-us")
    assert sound(said(fresh, LINE)) == first
    assert fresh.fingerprint == voice.fingerprint


def test_threads_in_any_order_give_the_same_bytes(voice, folder):
    lines = [f"May number {number} be well and happy." for number in range(8)]
    alone = [sound(said(voice, line)) for line in lines]
    engine = voice.name.partition(":")[0]
    fresh = open_voice(find_engines(Setup(voices=folder)), engine, "en-us")
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda line: sound(said(fresh, line)), reversed(lines)))
    assert together[::-1] == alone


def test_another_process_gives_the_same_bytes(folder):
    code = (
        "import sys, hashlib, pathlib\n"
        "from metta_audio.speech.voice import Setup, Utterance\n"
        "from metta_audio.voices.registry import find_engines, open_voice\n"
        "engines = find_engines(Setup(voices=pathlib.Path(sys.argv[1])))\n"
        "for name in sys.argv[3:]:\n"
        "    wave = open_voice(engines, name, 'en-us').speak(Utterance(sys.argv[2]), 110).wave\n"
        "    print(hashlib.sha256(wave.samples.tobytes()).hexdigest())\n"
    )
    outputs = [
        subprocess.run(
            [sys.executable, "-c", code, str(folder), LINE, *order],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "PYTHONHASHSEED": seed, "LOG_LEVEL": "DEBUG"},
        )
        for seed, order in (("1", ENGINES), ("2", ENGINES[::-1]))
    ]
    assert outputs[0].stdout.split() == outputs[1].stdout.split()[::-1]
    # Not a word of what is said, though LOG_LEVEL asks kokoro-onnx for all of it.
    assert [output.stderr for output in outputs] == ["", ""]


def test_our_espeak_keeps_its_bytes_beside_them(engines):
    espeak = open_voice(engines, "espeak", "en-us")
    before = sound(said(espeak, LINE))
    neural = {name: sound(said(open_voice(engines, name, "en-us"), LINE)) for name in ENGINES}
    french = open_voice(engines, "kokoro", "fr")
    sound(said(french, "Bonjour à tous."))
    assert sound(said(espeak, LINE)) == before
    assert {name: sound(said(open_voice(engines, name, "en-us"), LINE)) for name in ENGINES} == neural
    lines = [LINE, "Rest now.", "May you live with ease."] * 3
    voices = [espeak, *(open_voice(engines, name, "en-us") for name in ENGINES)]
    alone = [[sound(said(voice, line)) for line in lines] for voice in voices]
    with ThreadPoolExecutor(6) as pool:
        jobs = [[pool.submit(said, voice, line) for line in lines] for voice in voices]
        together = [[sound(job.result()) for job in row] for row in jobs]
    assert together == alone


def test_nothing_is_loaded_before_it_speaks(folder):
    code = (
        "import sys, pathlib\n"
        "from metta_audio.speech.voice import Setup\n"
        "from metta_audio.voices.registry import find_engines, open_voice\n"
        "engines = find_engines(Setup(voices=pathlib.Path(sys.argv[1])))\n"
        "for name in ('piper', 'kokoro'):\n"
        "    engines[name].voices(), open_voice(engines, name, 'en-us').fingerprint\n"
        "print(*sorted({'onnxruntime', 'piper', 'kokoro_onnx', 'phonemizer'} & set(sys.modules)))\n"
    )
    shown = subprocess.run([sys.executable, "-c", code, str(folder)], capture_output=True, text=True, check=True)
    assert (shown.stdout.strip(), shown.stderr) == ("", "")


def test_nothing_is_printed(engines, capfd):
    for name in ENGINES:
        said(open_voice(engines, name, "en-us"), "Bonjour, dear friend.")
    assert capfd.readouterr() == ("", "")


# Words


def test_words_begin_where_the_model_says(voice):
    speech = said(voice, LINE)
    assert [(word.start, word.end) for word in speech.words] == list(word_ranges(LINE))
    onsets = [word.onset for word in speech.words]
    assert onsets == sorted(onsets)
    seconds = np.array(onsets) / speech.wave.rate
    sounding = stretches(speech.wave)
    # "and" begins after the pause of the comma: the tiny models' voice begins there to a frame or two.
    wave = np.abs(speech.wave.samples[:, 0])
    quiet = wave < 0.01
    after = LINE.split().index("and")
    start = onsets[after]
    window = round(0.03 * speech.wave.rate)
    assert quiet[start - window : start - window // 3].mean() > 0.9
    assert not quiet[start + window // 3 : start + window].all()
    assert seconds[0] == pytest.approx(sounding[0][0] / speech.wave.rate, abs=0.05)


def test_words_in_ipa_and_substitutes_keep_their_places(voice):
    text = "May metta, dear foo, be here."
    speech = said(voice, text, Span(4, 9, "ipa", "ˈmɛtə"), Span(16, 19, "sub", "three more words"))
    assert [(word.start, word.end) for word in speech.words] == list(word_ranges(text))
    onsets = [word.onset for word in speech.words]
    assert all(later - earlier > 0.1 * speech.wave.rate for earlier, later in itertools.pairwise(onsets))
    gaps = np.diff(onsets)
    assert gaps[3] == max(gaps)  # the substitute is three words long


@pytest.mark.parametrize(
    ("text", "phonemes", "wanted"),
    [
        ("rest now", "ɹˈɛst nˈaʊ", {"rest": "ɹ", "now": "n"}),
        ("in the body rest", "ɪnðə bˈɑːdi ɹˈɛst", {"in": "ɪ", "body": "b", "rest": "ɹ"}),
        ("may it be for 365 days", "mˈeɪ ɪt biː fɔːɹ θɹˈiː hˈʌndɹəd sˈɪksti fˈaɪv dˈeɪz", {"365": "θ", "days": "d"}),
        ("", "", {}),
        ("yes", "", {}),
        ("— now —", "; nˈaʊ ;", {"now": "n"}),
        ("well, in the end, yes", "wˈɛl, ɪnðɪ ˈɛnd, jˈɛs", {"well,": "w", "in": "ɪ", "end,": "ˈ", "yes": "j"}),
    ],
)
def test_words_find_their_sounds(text, phonemes, wanted):
    row = list(phonemes)
    found = {text[offset:].split(" ")[0]: row[place] for offset, place in word_starts(text, row)}
    assert wanted.items() <= found.items()


@given(st.text(alphabet="ab ,.?3é ", max_size=40), st.text(alphabet="abɛː ,.?ˈ", max_size=60))
def test_matching_is_in_order_whatever_comes(text, phonemes):
    found = word_starts(text, list(phonemes))
    starts = {start for start, _ in word_ranges(text)}
    assert [offset for offset, _ in found] == sorted({offset for offset, _ in found})
    assert [place for _, place in found] == sorted({place for _, place in found})
    assert all(offset in starts and phonemes[place] != " " for offset, place in found)


# What is read


def test_marks_of_prosody_are_never_spoken(voice):
    plain = sound(said(voice, "Rest here now."))
    for kind in ("emphasis", "slow", "fast", "soft", "loud"):
        assert sound(said(voice, "Rest here now.", Span(5, 9, kind))) == plain


def test_a_substitute_is_spoken_in_place_of_its_text(voice):
    assert sound(said(voice, "Rest xyz now.", Span(5, 8, "sub", "here"))) == sound(said(voice, "Rest here now."))


def test_ipa_of_a_word_as_it_is_spoken_anyway_changes_nothing(voice):
    line = "Bring kindness, warmth and patience here."
    for start, end in word_ranges(line)[1:-1]:
        word = line[start:end].rstrip(",")
        ipa = "".join(voice._phonemes(word))
        if word != "and":  # by itself it is stressed
            assert sound(said(voice, line, Span(start, start + len(word), "ipa", ipa))) == sound(said(voice, line))


def test_ipa_is_spoken_as_it_is_written(voice):
    text = "May metta grow."
    one, two = (said(voice, text, Span(4, 9, "ipa", ipa)) for ipa in ("ˈmɛtə", "kaˈɹuːnɑː"))
    assert sound(one) != sound(two)
    assert two.wave.frames > one.wave.frames
    for ipa in ("/ˈmɛ.tə/", "[ˈmɛtə]", "ˈmɛ͡tə"):
        assert sound(said(voice, text, Span(4, 9, "ipa", ipa))) == sound(one)
    assert sound(said(voice, "metta", Span(0, 5, "ipa", "ˈmɛtə")))


@pytest.mark.parametrize("ipa", ["ˈm☃tə", "mɛtъ"])
def test_ipa_that_a_model_has_no_sound_for_is_named(voice, ipa):
    with pytest.raises(VoiceError, match=r'no sound for the IPA symbol "[☃ъ]"') as caught:
        said(voice, "May metta grow.", Span(4, 9, "ipa", ipa))
    assert ipa not in str(caught.value)  # the word may be a listener's name


@pytest.mark.parametrize("ipa", ["", "ˈ", "..", "ː"])
def test_ipa_without_a_sound_is_refused(ipa):
    with pytest.raises(VoiceError, match="holds no sound"):
        ipa_symbols(ipa, "abcˈː.")


def test_a_letter_with_its_mark_may_be_one_symbol_or_two():
    assert ipa_symbols("ç", {"ç"}) == ["ç"]
    assert ipa_symbols("ç", {"c", "\u0327"}) == ["c", "\u0327"]
    assert ipa_symbols("t\u032aʰa", {"t", "a"}) == ["t", "a"]
    assert ipa_symbols("gara", {"ɡ", "a", "ɹ"}) == ["ɡ", "a", "ɹ", "a"]


def test_brackets_and_what_nobody_sees_are_no_marks(voice):
    assert sound(said(voice, "Rest [[ˈhoʊm]] now.")) != sound(said(voice, "Rest home now."))
    assert sound(said(voice, "Rest\u200b\x00 [now]\u2028.")) == sound(said(voice, "Rest   now  ."))


@given(
    st.text(max_size=30),
    st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30), st.sampled_from(["ipa", "sub", "slow"])), max_size=5),
)
def test_every_character_read_comes_from_the_line(text, marks):
    spans = tuple(
        Span(start, min(end, len(text)), kind, "ab") for start, end, kind in marks if start < min(end, len(text))
    )
    for part in parts(Utterance(text, spans)):
        assert len(part.text) == len(part.origin)
        assert list(part.origin) == sorted(part.origin)
        assert all(0 <= at < len(text) for at in part.origin)
        assert part.ipa or not set(part.text) & set("[]\x00\n")


def test_of_two_marks_that_overlap_the_first_counts():
    line = Utterance("abcdef", (Span(2, 5, "ipa", "y"), Span(0, 4, "sub", "x"), Span(4, 5, "ipa", "z")))
    assert [(part.text, part.origin, part.ipa) for part in parts(line)] == [
        ("x", (0,), False),
        ("z", (4,), True),
        ("f", (5,), False),
    ]


@pytest.mark.parametrize("text", ["…", "", "()", " "])
def test_text_without_sounds_is_refused_and_not_repeated(voice, text):
    with pytest.raises(VoiceError, match="has no sounds for this sentence"):
        said(voice, text)


def test_a_long_line_is_spoken_whole(voice):
    text = " ".join(["May you be well and happy and at ease with all that is here"] * 20)
    speech = said(voice, text)
    assert len(speech.words) == len(word_ranges(text))
    assert speech.wave.seconds > 60


def test_sounds_are_told_from_marks():
    assert [symbol for symbol in "aɛˈː ,.ʰ\u0303ŋ" if is_sound(symbol)] == ["a", "ɛ", "ŋ"]


# Graphs


def test_the_digest_follows_the_file(tmp_path):
    file = tmp_path / "model.onnx"
    file.write_bytes(b"one")
    first = digest(file, "")
    assert digest(file, "") == first
    file.write_bytes(b"more")
    assert digest(file, "") != first
    with pytest.raises(VoiceError, match="cannot read"):
        digest(tmp_path / "none", "")


def test_lots_that_nothing_switches_off_are_drawn_alike(tmp_path):
    model, _ = tiny_models.write_kokoro(tmp_path, draws=True)
    feeds = {
        "tokens": np.array([[0, 50, 51, 0]]),
        "style": np.full((1, 256), 120, np.float32),
        "speed": np.ones(1, np.float32),
    }
    left, again = Graph(model, "", draws=True), Graph(model, "")
    runs = [left.run(None, feeds)[0].tobytes() for _ in range(3)]
    assert len(set(runs)) == 1
    # Without that care they are not: the test has teeth.
    assert again.run(None, feeds)[0].tobytes() != again.run(None, feeds)[0].tobytes()


def test_a_graph_without_lots_keeps_one_session(tmp_path, monkeypatch):
    made = []
    seeded = graphs._seeded
    monkeypatch.setattr(graphs, "_seeded", lambda *given: made.append(1) or seeded(*given))
    tiny_models.write_kokoro(tmp_path / "kokoro")
    voice = open_voice(find_engines(Setup(voices=tmp_path)), "kokoro", "en-us")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: said(voice, LINE), range(6)))
    assert len(made) == 1


def test_an_operator_across_two_blocks_is_seen(tmp_path, monkeypatch):
    file = tmp_path / "model"
    for block in range(1, 40):
        monkeypatch.setattr(graphs, "_BLOCK", block)
        file.write_bytes(b"x" * 21 + b"RandomUniformLike" + b"x" * 9)
        assert graphs._draws_lots(file)
        file.write_bytes(b"x" * 60)
        assert not graphs._draws_lots(file)


@pytest.mark.parametrize("name", ENGINES)
def test_lines_are_inside_the_graph_at_once(name, tmp_path, monkeypatch):
    """Nothing but the graph takes time, and no lock is held around it: two threads are in it together."""
    tiny_models.write_piper(tmp_path / "piper")
    tiny_models.write_kokoro(tmp_path / "kokoro", draws=True)
    voice = open_voice(find_engines(Setup(voices=tmp_path)), name, "en-us")
    said(voice, "Ready.")
    together = threading.Barrier(2)
    run = Graph.run

    def both(self, *given):
        together.wait(timeout=20)
        return run(self, *given)

    monkeypatch.setattr(Graph, "run", both)
    with ThreadPoolExecutor(2) as pool:
        assert len(list(pool.map(lambda line: said(voice, line), ["Rest now.", "Be well."]))) == 2


@pytest.mark.slow
@pytest.mark.parametrize("name", ENGINES)
def test_most_of_a_line_is_spent_where_threads_run_free(name, tmp_path, monkeypatch):
    tiny_models.write_piper(tmp_path / "piper", slow=60)
    tiny_models.write_kokoro(tmp_path / "kokoro", slow=60)
    voice = open_voice(find_engines(Setup(voices=tmp_path)), name, "en-us")
    said(voice, "Ready.")
    inside = []
    run = Graph.run

    def timed(self, *given):
        before = time.thread_time()
        result = run(self, *given)
        inside.append(time.thread_time() - before)
        return result

    monkeypatch.setattr(Graph, "run", timed)
    before = time.thread_time()
    for number in range(6):
        said(voice, f"May number {number} be well.")
    assert sum(inside) / (time.thread_time() - before) > 0.85


@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize("content", [b"", b"<html>Not found</html>", bytes(range(256)) * 12, b"\x08\x08"])
def test_a_broken_model_is_named_with_what_to_do(name, content, tmp_path, capfd):
    tiny_models.write_piper(tmp_path / "piper")
    tiny_models.write_kokoro(tmp_path / "kokoro")
    model = next((tmp_path / name).glob("*.onnx"))
    model.write_bytes(content)
    wanted = {"piper": "piper:en_US-tiny-low", "kokoro": "kokoro:af_heart"}[name]
    with pytest.raises(VoiceError) as caught:
        said(open_voice(find_engines(Setup(voices=tmp_path)), wanted, "en-us"), LINE)
    assert str(model) in caught.value.what
    assert "again" in caught.value.hint
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize("content", [b"", b"<html>Not found</html>"])
def test_what_is_no_model_at_all_is_seen_before_anything_is_loaded(name, content, tmp_path):
    tiny_models.write_piper(tmp_path / "piper")
    tiny_models.write_kokoro(tmp_path / "kokoro")
    model = next((tmp_path / name).glob("*.onnx"))
    model.write_bytes(content)
    engines = find_engines(Setup(voices=tmp_path))
    infos = [info for info in engines[name].voices() if str(model) in info.problem]
    assert infos
    assert not best_voice(engines, "en-us").startswith(name)
    for wanted in (name, infos[0].name):
        with pytest.raises(VoiceError):
            engines[name].open(wanted.partition(":")[2], "en-us")


@pytest.mark.parametrize("name", ENGINES)
def test_a_voice_says_what_it_speaks_and_only_the_registry_refuses_it(name, tmp_path):
    """So that there is one error, with voices that do; a path is listed nowhere, and must be told by the voice."""
    model = tiny_models.write_piper(tmp_path / "mine")
    tiny_models.write_piper(tmp_path / "piper", "de_DE-tiny-low", "de_DE")
    tiny_models.write_kokoro(tmp_path / "kokoro")
    engines = find_engines(Setup(voices=tmp_path))
    for variant in (str(model),) if name == "piper" else ("af_heart", "am_michael"):
        assert languages_of(engines[name].open(variant, "en-gb")) == ("en-us",)
        assert languages_of(engines[name].open(variant, "de")) == ("en-us",)
        with pytest.raises(VoiceError, match='does not speak "de"') as caught:
            open_voice(engines, f"{name}:{variant}", "de")
        assert "these do: piper:de_DE-tiny-low" in caught.value.hint


@pytest.mark.parametrize("name", ENGINES)
def test_a_truncated_model_is_named(name, tmp_path):
    tiny_models.write_piper(tmp_path / "piper")
    tiny_models.write_kokoro(tmp_path / "kokoro")
    model = next((tmp_path / name).glob("*.onnx"))
    model.write_bytes(model.read_bytes()[:2000])
    with pytest.raises(VoiceError, match="does not work as a model") as caught:
        said(open_voice(find_engines(Setup(voices=tmp_path)), name, "en-us"), LINE)
    assert caught.value.what.count(str(model)) == 1
    assert "ONNXRuntimeError" not in caught.value.what
    assert "Load model" not in caught.value.what
    assert "parsing failed" in caught.value.what


def test_a_model_that_gives_no_numbers_is_not_told_as_a_line_without_sounds(engines, monkeypatch):
    run = Graph.run

    def spoilt(self, *given):
        sound, *lengths = run(self, *given)
        return [sound * np.nan, *lengths]

    monkeypatch.setattr(Graph, "run", spoilt)
    voice = open_voice(engines, "piper", "en-us")
    with pytest.raises(VoiceError, match=f"^{voice.name} gives no usable sound"):
        said(voice, LINE)


def test_a_model_of_another_kind_is_named(tmp_path):
    tiny_models.write_piper(tmp_path / "piper")
    tiny_models.write_kokoro(tmp_path / "kokoro")
    piper, kokoro = tmp_path / "piper" / "en_US-tiny-low.onnx", tmp_path / "kokoro" / "kokoro-tiny.onnx"
    mine, theirs = piper.read_bytes(), kokoro.read_bytes()
    piper.write_bytes(theirs)
    kokoro.write_bytes(mine)
    for name in ENGINES:
        with pytest.raises(VoiceError, match="model of another kind"):
            said(open_voice(find_engines(Setup(voices=tmp_path)), name, "en-us"), LINE)


@pytest.mark.parametrize(("name", "package"), [("piper", "piper-tts"), ("kokoro", "kokoro-onnx")])
def test_a_missing_extra_is_named_with_the_line_that_brings_it(name, package, folder, monkeypatch):
    import importlib.metadata as metadata

    version = metadata.version

    def gone(wanted):
        if wanted == package:
            raise metadata.PackageNotFoundError(wanted)
        return version(wanted)

    monkeypatch.setattr(metadata, "version", gone)
    engines = find_engines(Setup(voices=folder))
    assert engines[name].problem().endswith(f'pip install "metta-audio[{name}]"')
    assert all(info.problem for info in engines[name].voices())
    with pytest.raises(VoiceError, match="pip install"):
        open_voice(engines, name, "en-us")


@pytest.mark.parametrize(
    ("name", "table", "said_of"),
    [
        ("piper", {"foldr": "x"}, 'have no "foldr"; did you mean "folder"?'),
        ("piper", {"folder": 3}, "must be a path"),
        ("kokoro", {"modle": "x"}, 'did you mean "model"?'),
        ("kokoro", {"voices": ""}, "must be a path"),
        ("kokoro", {"model": "~nobody-is-called-so/x"}, "nobody's home"),
    ],
)
def test_settings_that_are_none_are_named(name, table, said_of, tmp_path):
    engine = find_engines(Setup(voices=tmp_path, tables={name: table}))[name]
    assert said_of in engine.problem()
    engine.voices()


@pytest.mark.parametrize("name", ENGINES)
def test_nothing_fetched_yet(name, tmp_path):
    engines = find_engines(Setup(voices=tmp_path / "none"))
    infos = engines[name].voices()
    assert infos
    assert not any(info.installed for info in infos)
    assert all(info.problem == f"not fetched yet: metta voices get {info.name}" for info in infos)
    for wanted in (name, infos[0].name):
        with pytest.raises(VoiceError, match=f"metta voices get {name}:"):
            open_voice(engines, wanted, infos[0].languages[0])


def test_the_tiny_models_are_tiny(folder):
    assert all(path.stat().st_size < 12_000 for path in Path(folder).rglob("*") if path.is_file())
