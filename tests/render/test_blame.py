"""An error about what the settings name, and the listener did not, says where it stands."""

from __future__ import annotations

from pathlib import Path

import pytest

import metta_audio as metta
from metta_audio.errors import MettaError

SCRIPT = (
    "---\ntitle: T\nsummary: t\nminutes: 0.5\nroles:\n  self: {}\n---\n# One\n\nRest. [pause 1s..1m]\n\nSelf: Yes.\n"
)


@pytest.fixture
def complaint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    file = tmp_path / "settings.toml"
    script = tmp_path / "t.md"
    script.write_text(SCRIPT)
    monkeypatch.setenv("METTA_SETTINGS", str(file))
    monkeypatch.setenv("METTA_CACHE", str(tmp_path / "cache"))
    for name in ("METTA_VOICE", "METTA_EXCLUDE"):
        monkeypatch.delenv(name, raising=False)

    def plan(settings: str, **options: object) -> str:
        file.write_text(f"# mine\n{settings}\n")
        with pytest.raises(MettaError) as caught:
            metta.plan(metta.fill(metta.load(script)), metta.Options(**options))
        return str(caught.value).replace(str(file), "settings.toml")

    return plan


@pytest.mark.parametrize(
    ("settings", "options", "told"),
    [
        ('voice = "espek"', {}, 'unknown voice "espek"'),
        ('voice = "espeak:de"', {}, 'the voice "espeak:de" does not speak'),
        ('voice = "espek"', {"roles": {"self": "tone"}}, 'unknown voice "espek"'),
        ('fallback = "espek"', {"voice": "tone"}, 'unknown voice "espek"'),
        ('fallback = "espeak:fr"', {"voice": "tone"}, 'the voice "espeak:fr" does not speak'),
        ('exclude = ["ocaen"]', {"voice": "tone"}, 'nothing called "ocaen" can be excluded'),
    ],
)
def test_what_comes_from_the_settings_is_told_with_its_line(complaint, settings, options, told):
    assert complaint(settings, **options).startswith(f"settings.toml:2:1: {told}")


@pytest.mark.parametrize(
    ("settings", "options", "told"),
    [
        ('voice = "tone"', {"voice": "espek"}, 'unknown voice "espek"'),
        ('voice = "tone"', {"roles": {"self": "espek"}}, 'unknown voice "espek"'),
        ('voice = "espek"', {"roles": {"self": "espeack", "guide": "tone"}}, 'unknown voice "espeack"'),
        ('voice = "tone"\nfallback = "tone"', {"fallback": "espek"}, 'unknown voice "espek"'),
        ('voice = "tone"\nexclude = ["ocean"]', {"exclude": ("ocaen",)}, 'nothing called "ocaen"'),
    ],
)
def test_what_the_listener_asks_for_is_not_blamed_on_the_settings(complaint, settings, options, told):
    assert complaint(settings, **options).startswith(told)


def test_what_comes_from_the_environment_is_told_with_its_variable(complaint, monkeypatch):
    monkeypatch.setenv("METTA_VOICE", "espek")
    assert complaint('voice = "tone"').startswith('METTA_VOICE: unknown voice "espek"')
