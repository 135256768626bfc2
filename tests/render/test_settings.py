"""Settings: the environment first, then the file, then the defaults; and every fault of the file named."""

from __future__ import annotations

from pathlib import Path

import platformdirs
import pytest

from metta_audio.errors import Place, SettingsError
from metta_audio.settings import DEFAULT_VOICE, debugging, read_settings, settings_file


@pytest.fixture(autouse=True)
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("METTA_VOICE", "METTA_SCRIPTS", "METTA_CACHE", "METTA_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("METTA_SETTINGS", str(tmp_path / "settings.toml"))
    return tmp_path / "settings.toml"


def test_without_a_file_the_defaults_hold() -> None:
    settings = read_settings()
    assert settings.voice == DEFAULT_VOICE
    assert settings.scripts is None
    assert settings.cache == platformdirs.user_cache_path("metta_audio")
    assert settings.user == platformdirs.user_data_path("metta_audio")


def test_the_file_is_read_and_the_environment_wins(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text(
        '\ufeffvoice = "tone"\r\nscripts = "~/scripts"\ncache = "/cache"\nuser = "/user"\n', encoding="utf-8"
    )
    settings = read_settings()
    assert (settings.voice, settings.scripts) == ("tone", Path("~/scripts").expanduser())
    assert (settings.cache, settings.user) == (Path("/cache"), Path("/user"))
    assert settings.clips == Path("/cache/clips")
    assert settings.work == Path("/cache/work")
    monkeypatch.setenv("METTA_VOICE", "silent")
    monkeypatch.setenv("METTA_SCRIPTS", "other")
    monkeypatch.setenv("METTA_CACHE", "~/cache")
    settings = read_settings()
    assert (settings.voice, settings.scripts) == ("silent", Path("other"))
    assert settings.cache == Path("~/cache").expanduser()
    assert settings.user == Path("/user")


def test_what_is_set_to_nothing_is_not_set(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text('voice = ""\nscripts = ""\n')
    monkeypatch.setenv("METTA_CACHE", "")
    settings = read_settings()
    assert (settings.voice, settings.scripts) == (DEFAULT_VOICE, None)
    assert settings.cache == platformdirs.user_cache_path("metta_audio")
    monkeypatch.setenv("METTA_SETTINGS", "")
    assert settings_file() == platformdirs.user_config_path("metta_audio") / "settings.toml"


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ('voice = "tone"\n\nvoices = "tone"\n', 3, 'did you mean "voice"'),
        ('# one\n"cachee" = "x"\n', 2, 'did you mean "cache"'),
        ('cache = "x"\nvoice = 3\n', 2, "must be a text"),
        ("[voice]\n", 1, "must be a text"),
        ('private = "yes"\n', 1, "must be true or false"),
        ("\ncache_limit = -1\n", 2, "must be a number of MB"),
        ('http = "http://localhost"\n', 1, "must be a table"),
        ("[piperr]\n", 1, 'did you mean "piper"'),
    ],
)
def test_a_fault_in_the_file_is_named_with_its_line(file: Path, text: str, line: int, words: str) -> None:
    file.write_text(text)
    with pytest.raises(SettingsError) as caught:
        read_settings()
    assert caught.value.place == Place(str(file), line)
    assert words in str(caught.value)


@pytest.mark.parametrize("data", [b"voice = tone\n", b"\xff\xfe", b'voice = "a"\nvoice = "b"\n', b"= 1"])
def test_a_file_that_is_no_toml(file: Path, data: bytes) -> None:
    file.write_bytes(data)
    with pytest.raises(SettingsError, match=r"settings\.toml"):
        read_settings()


def test_engines_are_told_what_the_user_has_set_up(file: Path) -> None:
    file.write_text('user = "/u"\nprivate = true\n[piper]\nfolder = "/p"\n[command]\nslt = "flite {text}"\n')
    setup = read_settings().setup()
    assert (setup.voices, setup.takes, setup.private) == (Path("/u/voices"), Path("/u/takes"), True)
    assert setup.tables == {"piper": {"folder": "/p"}, "command": {"slt": "flite {text}"}}
    file.write_text("private = false\n")
    settings = read_settings()
    assert not settings.setup().private
    assert settings.setup(private=True).private
    assert settings.secret.parent == settings.user, "apart from the clips"


def test_the_size_of_the_cache_is_told_in_megabytes(file: Path) -> None:
    assert read_settings().cache_bytes == 2_000_000_000
    file.write_text("cache_limit = 0.5\n")
    assert read_settings().cache_bytes == 500_000


def test_a_folder_for_a_file(file: Path) -> None:
    file.mkdir()
    with pytest.raises(SettingsError, match="cannot read"):
        read_settings()


def test_the_home_of_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METTA_CACHE", "~nobody-of-that-name/cache")
    with pytest.raises(SettingsError, match="nobody's home"):
        read_settings()


@pytest.mark.parametrize(("value", "asked"), [("1", True), ("yes", True), ("0", False), ("", False)])
def test_debugging_is_asked_for(monkeypatch: pytest.MonkeyPatch, value: str, asked: bool) -> None:
    monkeypatch.setenv("METTA_DEBUG", value)
    assert debugging() is asked
