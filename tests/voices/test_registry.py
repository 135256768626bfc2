from __future__ import annotations

from importlib.metadata import EntryPoint

import pytest

from metta_audio.errors import VoiceError
from metta_audio.speech.voice import Utterance
from metta_audio.voices import registry
from metta_audio.voices.registry import GROUP, Engines, cast_roles, engines, open_voice


@pytest.fixture
def with_broken(monkeypatch):
    points = {name: registry.engines()._points[name] for name in ("silent", "tone")}
    points["broken"] = EntryPoint("broken", "metta_audio.no_such_module:ENGINE", GROUP)
    found = Engines(points)
    monkeypatch.setattr(registry, "engines", lambda: found)


def test_our_engines_are_found_by_entry_point():
    assert set(engines()) >= {"espeak", "silent", "system", "tone"}
    assert all(engines()[name].name == name for name in ("espeak", "silent", "system", "tone"))


def test_an_engine_is_loaded_once_and_only_when_asked_for(monkeypatch):
    loads = []
    real = registry._load
    monkeypatch.setattr(registry, "_load", lambda point: loads.append(point.name) or real(point))
    fresh = Engines(engines()._points)
    assert len(list(fresh)) == len(fresh)
    assert loads == []
    assert fresh["tone"] is fresh["tone"]
    assert loads == ["tone"]


@pytest.mark.parametrize("name", ["espeak", "espeak:en-gb", "espeak:+f3", "tone:220", "silent"])
def test_voices_open_by_name_and_speak(name):
    voice = open_voice(name, "EN-US")
    assert voice.name.startswith(name.split(":")[0])
    assert voice.speak(Utterance("Well."), 110).wave.frames > 1_000


def test_an_unknown_engine_is_suggested():
    with pytest.raises(VoiceError, match=r'unknown voice "espeek:en"; did you mean "espeak"\?'):
        open_voice("espeek:en", "en-us")


@pytest.mark.usefixtures("with_broken")
def test_a_broken_engine_says_why_and_breaks_no_other():
    assert "no_such_module" in registry.engines()["broken"].problem()
    with pytest.raises(VoiceError, match=r'voice "broken:x" cannot be used: .*no_such_module.*metta doctor'):
        open_voice("broken:x", "en-us")
    with pytest.raises(VoiceError, match="cannot be used"):
        cast_roles("broken", "en-us", ["guide"], {})
    assert open_voice("tone", "en-us").name == "tone:220"


def test_roles_are_cast_in_order_and_the_lead_leads():
    cast = cast_roles("espeak:en-gb", "en-us", ["guide", "self", "part"], {})
    assert list(cast) == ["guide", "self", "part"]
    assert cast["guide"] == "espeak:en-gb"
    assert len(set(cast.values())) == 3
    assert all(open_voice(name, "en-us").name == name for name in cast.values())


def test_an_override_stands_and_leaves_the_contrast_to_the_others():
    cast = cast_roles("tone", "en-us", ["guide", "self", "part"], {"self": "silent"})
    assert cast == {"guide": "tone:220", "self": "silent", "part": "tone:330"}
    assert cast_roles("tone", "en-us", ["guide"], {"guide": "silent"}) == {"guide": "silent"}


def test_an_override_of_no_role_is_suggested():
    with pytest.raises(VoiceError, match=r'no role "slef" speaks here; did you mean "self"\?'):
        cast_roles("tone", "en-us", ["guide", "self"], {"slef": "silent"})


def test_a_voice_that_cannot_run_here_says_why(monkeypatch):
    monkeypatch.setattr(type(engines()["tone"]), "problem", lambda self: "no loudspeaker; buy one")
    with pytest.raises(
        VoiceError, match=r'voice "tone:220" cannot be used: no loudspeaker; buy one; run: metta doctor'
    ):
        open_voice("tone:220", "en-us")
