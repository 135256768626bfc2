from __future__ import annotations

from functools import partial
from importlib.metadata import EntryPoint

import pytest

from metta_audio.errors import Place, VoiceError
from metta_audio.speech.setup import GROUP
from metta_audio.speech.voice import QUALITIES, Setup, Utterance, VoiceInfo
from metta_audio.voices import registry
from metta_audio.voices.registry import BEST, Engines, best_voice, cast_roles, find_engines, open_voice
from metta_audio.voices.tone import ToneEngine

OURS = {"command", "espeak", "http", "kokoro", "piper", "silent", "system", "takes", "tone"}


@pytest.fixture
def engines(tmp_path):
    return find_engines(Setup(voices=tmp_path / "voices", takes=tmp_path / "takes"))


class Stub:
    """An engine of the voices it is given, each speaking like a tone."""

    def __init__(self, name, infos, problem=""):
        self.name, self._infos, self._problem = name, infos, problem

    def problem(self):
        return self._problem

    def voices(self):
        return self._infos

    def cast(self, variant, language, roles):
        return [variant] * roles

    def open(self, variant, language):
        return ToneEngine(Setup()).open("", language)


def a_voice(name, *languages, **more):
    return VoiceInfo(name, languages, "natural", **more)


def with_broken(setup):
    points = {name: find_engines(setup).points[name] for name in ("silent", "tone")}
    points["broken"] = EntryPoint("broken", "metta_audio.no_such_module:Engine", GROUP)
    return Engines(points, setup)


def test_our_engines_are_found_by_entry_point(engines):
    assert set(engines) >= OURS
    assert all(engines[name].name == name for name in OURS)


def test_every_engine_of_ours_can_be_asked_whatever_is_missing(engines):
    for name in OURS:
        assert isinstance(engines[name].problem(), str)
        for info in engines[name].voices():
            assert info.name.partition(":")[0] == name
            assert info.quality in QUALITIES
            assert info.installed or info.problem


def test_an_engine_is_made_once_and_only_when_asked_for(monkeypatch, engines):
    loads = []
    real = registry._make
    monkeypatch.setattr(registry, "_make", lambda point, setup: loads.append(point.name) or real(point, setup))
    fresh = Engines(engines.points, Setup())
    assert len(list(fresh)) == len(fresh)
    assert loads == []
    assert fresh["tone"] is fresh["tone"]
    assert loads == ["tone"]


def test_an_engine_of_files_without_any_is_not_even_loaded(monkeypatch, tmp_path):
    loads = []
    real = registry._make
    monkeypatch.setattr(registry, "_make", lambda point, setup: loads.append(point.name) or real(point, setup))
    setup = Setup(voices=tmp_path)
    assert best_voice(find_engines(setup), "en-us") == best_voice(find_engines(setup), "EN-US") == "espeak:en-us"
    assert set(loads) & {"kokoro", "piper"} == set()
    (tmp_path / "kokoro").mkdir()
    best_voice(find_engines(setup), "en-us")
    assert "kokoro" not in loads
    (tmp_path / "kokoro" / "some.onnx").touch()
    best_voice(find_engines(Setup(voices=tmp_path, tables={"piper": {}})), "en-us")
    assert {"kokoro", "piper"} <= set(loads)


def test_what_a_glance_tells_is_not_asked_again():
    class Quick(Stub):
        def glance(self, variant, language):
            return f"espeak:{variant or language}" if language == "en-us" and variant in ("", "en-us") else ""

        def problem(self):
            raise AssertionError("asked all the same")

    engines = {"espeak": Quick("espeak", [])}
    assert best_voice(engines, "en-US") == "espeak:en-us"
    assert cast_roles(engines, "espeak:en-us", "en-us", ["guide"], {}) == {"guide": "espeak:en-us"}
    assert open_voice(engines, "espeak", "en-us").name == "tone:220"
    with pytest.raises(AssertionError):
        open_voice(engines, "espeak:other", "en-us")


@pytest.mark.parametrize("name", ["espeak", "espeak:en-gb", "espeak:+f3", "tone:220", "silent"])
def test_voices_open_by_name_and_speak(engines, name):
    voice = open_voice(engines, name, "EN-US")
    assert voice.name.startswith(name.split(":")[0])
    assert voice.speak(Utterance("Well."), 110).wave.frames > 1_000


def test_an_unknown_engine_is_suggested(engines):
    with pytest.raises(VoiceError, match=r'unknown voice "espeek:en"; did you mean "espeak"\?'):
        open_voice(engines, "espeek:en", "en-us")


def test_a_broken_engine_says_why_and_breaks_no_other():
    engines = with_broken(Setup())
    assert "no_such_module" in engines["broken"].problem()
    assert engines["broken"].voices() == []
    with pytest.raises(VoiceError, match=r'voice "broken:x" cannot be used: .*no_such_module'):
        open_voice(engines, "broken:x", "en-us")
    with pytest.raises(VoiceError, match="cannot be used"):
        cast_roles(engines, "broken", "en-us", ["guide"], {})
    assert open_voice(engines, "tone", "en-us").name == "tone:220"


def test_roles_are_cast_in_order_and_the_lead_leads(engines):
    cast = cast_roles(engines, "espeak:en-gb", "en-us", ["guide", "self", "part"], {})
    assert list(cast) == ["guide", "self", "part"]
    assert cast["guide"].startswith("espeak:en-gb")
    assert len(set(cast.values())) == 3
    assert all(open_voice(engines, name, "en-us").name == name for name in cast.values())


def test_an_override_stands_and_leaves_the_contrast_to_the_others(engines):
    cast = cast_roles(engines, "tone", "en-us", ["guide", "self", "part"], {"self": "silent"})
    assert cast == {"guide": "tone:220", "self": "silent", "part": "tone:330"}
    assert cast_roles(engines, "tone", "en-us", ["guide"], {"guide": "silent"}) == {"guide": "silent"}


def test_an_override_of_no_role_is_suggested(engines):
    with pytest.raises(VoiceError, match=r'no role "slef" speaks here; did you mean "self"\?'):
        cast_roles(engines, "tone", "en-us", ["guide", "self"], {"slef": "silent"})


def test_a_voice_that_cannot_run_here_says_why(engines, monkeypatch):
    monkeypatch.setattr(ToneEngine, "problem", lambda self: "no loudspeaker; buy one")
    with pytest.raises(VoiceError, match=r'voice "tone:220" cannot be used: no loudspeaker; buy one$'):
        open_voice(engines, "tone:220", "en-us")


def test_auto_takes_the_best_engine_that_speaks_the_language():
    kokoro = Stub("kokoro", [a_voice("kokoro:a", "en-us"), a_voice("kokoro:e", "es")])
    piper = Stub("piper", [a_voice("piper:d", "de-de"), a_voice("piper:n", "nl-nl", installed=False, problem="fetch")])
    espeak = Stub("espeak", [a_voice(f"espeak:{name}", name) for name in ("de", "en-us", "fr", "nl")])
    here = {engine.name: engine for engine in (espeak, piper, kokoro)}
    assert [best_voice(here, language) for language in ("en", "es-MX", "de-AT", "nl", "fr-ca")] == [
        "kokoro:a", "kokoro:e", "piper:d", "espeak:nl", "espeak:fr"
    ]  # fmt: skip


def test_auto_passes_over_engines_that_cannot_run_and_takes_the_very_region_first():
    kokoro = Stub("kokoro", [a_voice("kokoro:a", "en-us")], problem="no model")
    piper = Stub("piper", [a_voice("piper:us", "en-us"), a_voice("piper:gb", "en-gb")])
    here = {"kokoro": kokoro, "piper": piper}
    assert best_voice(here, "EN-GB") == "piper:gb"
    assert best_voice(here, "en") == "piper:us"
    with pytest.raises(VoiceError, match='no voice here speaks "fi"; metta voices'):
        best_voice(here, "fi")


def test_auto_never_takes_what_sends_text_away_runs_a_program_or_is_a_person():
    assert not {"http", "command", "takes", "silent", "tone"} & set(BEST)
    here = {"http": Stub("http", [a_voice("http:x", "en")]), "espeak": Stub("espeak", [a_voice("espeak:en", "en")])}
    assert best_voice(here, "en") == "espeak:en"


def test_roles_are_cast_from_what_auto_takes(engines):
    assert cast_roles(engines, "auto", "de", ["guide"], {})["guide"].startswith("espeak:de")
    assert cast_roles(engines, "tone", "de", ["guide", "self"], {"self": "auto"})["self"].startswith("espeak:de")


def test_a_voice_of_another_language_is_refused_with_those_that_fit():
    piper = Stub("piper", [a_voice("piper:thorsten", "de-de"), a_voice("piper:lj", "en-us")])
    here = {"piper": piper, "espeak": Stub("espeak", [a_voice("espeak:en-us", "en-us")])}
    with pytest.raises(VoiceError, match='"piper:thorsten" does not speak "en-us"; these do: piper:lj, espeak:en-us'):
        open_voice(here, "piper:thorsten", "en-us")
    assert open_voice(here, "piper:thorsten", "de")


def test_of_the_voices_that_fit_those_of_the_very_region_are_named_first():
    names = ("en", "en-029", "en-gb", "en-us")
    here = {"espeak": Stub("espeak", [a_voice(f"espeak:{name}", name) for name in ("de", *names)])}
    with pytest.raises(VoiceError, match=r"these do: espeak:en-us, espeak:en, espeak:en-029, espeak:en-gb$"):
        open_voice(here, "espeak:de", "en-US")


def test_where_nobody_speaks_it_is_said_what_keeps_the_last_engine_from_running():
    espeak = Stub("espeak", [], problem='the library cannot be loaded: pip install "that"')
    for others in ({}, {"kokoro": Stub("kokoro", [], problem="no model")}):
        with pytest.raises(VoiceError) as caught:
            best_voice({**others, "espeak": espeak}, "en-us")
        assert caught.value.hint == espeak.problem()


def test_a_fault_that_is_written_somewhere_keeps_its_place():
    class Placed(Stub):
        def problem(self):
            return "s.toml:2:1: no address; write one"

        def open(self, variant, language):
            raise VoiceError("no address", place=Place("s.toml", 2), hint="write one")

    with pytest.raises(VoiceError) as caught:
        open_voice({"http": Placed("http", [])}, "http:x", "en")
    assert str(caught.value) == 's.toml:2:1: the voice "http:x" cannot be used: no address; write one'
    assert caught.value.place == Place("s.toml", 2)


# Engines of third parties, which may do anything.


class Raising:
    """An engine whose method of one name raises; the others are those of the tone."""

    name = "theirs"

    def __init__(self, method):
        self._method = method
        self._engine = ToneEngine(Setup())

    def __getattribute__(self, name):
        if name == object.__getattribute__(self, "_method"):
            raise ZeroDivisionError("what they\n say")
        if name == "glance":
            raise AttributeError(name)
        return getattr(object.__getattribute__(self, "_engine"), name)


def of_a_third_party(make):
    """All engines, and one called ``theirs``, found as any is."""
    setup = Setup()
    points = {**find_engines(setup).points, "theirs": EntryPoint("theirs", "their_package.voices:Engine", GROUP)}
    engines = Engines(points, setup)
    engines._made["theirs"] = registry.Guarded(make, "theirs", points["theirs"].value)
    return engines


SAYS = r"their_package\.voices:Engine fails \(ZeroDivisionError: what they say\)"


def test_an_engine_is_guarded_as_it_is_made(monkeypatch):
    monkeypatch.setattr(EntryPoint, "load", lambda self: lambda setup: Raising("problem"))
    assert "fails (ZeroDivisionError" in find_engines(Setup())["tone"].problem()


@pytest.mark.parametrize("method", ["problem", "cast", "open"])
def test_whatever_an_engine_raises_names_it_and_breaks_no_other(method):
    engines = of_a_third_party(Raising(method))
    ask = partial(open_voice, engines, "theirs:x", "en-us")
    if method == "cast":
        ask = partial(cast_roles, engines, "theirs:x", "en-us", ["guide"], {})
    with pytest.raises(VoiceError, match=rf'voice "theirs:x" cannot be used: {SAYS}'):
        ask()
    assert cast_roles(engines, "espeak", "en-us", ["guide"], {"guide": "auto"})["guide"] == "espeak:en-us"


@pytest.mark.parametrize("listed", [None, ["theirs:x"]])
def test_an_engine_that_cannot_list_is_listed_with_the_reason(listed):
    stub = Raising("voices") if listed is None else Stub("theirs", listed)
    engines = of_a_third_party(stub)
    (info,) = engines["theirs"].voices()
    assert info.name == "theirs"
    assert "their_package.voices:Engine" in info.problem
    with pytest.raises(VoiceError, match="these do: "):
        open_voice(engines, "espeak:de", "en-us")
    assert open_voice(engines, "theirs", "en-us").name == "tone:220"


def test_a_glance_that_fails_tells_nothing():
    class Blinded(Stub):
        def glance(self, variant, language):
            raise RuntimeError

    assert registry.Guarded(Blinded("theirs", []), "theirs", "their:Engine").glance("", "en") == ""


def test_an_engine_that_casts_too_few_is_named():
    class Lonely(Stub):
        def cast(self, variant, language, roles):
            return ["one"]

    with pytest.raises(VoiceError, match=r"their_package\.voices:Engine casts 1 voices where 2 are asked for"):
        cast_roles(of_a_third_party(Lonely("theirs", [])), "theirs", "en", ["guide", "self"], {})
