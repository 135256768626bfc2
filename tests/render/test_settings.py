"""Settings: the environment first, then the file, then the defaults; and every fault of the file named."""

from __future__ import annotations

import json
from pathlib import Path

import platformdirs
import pytest

from metta_audio.errors import Place, SettingsError, VoiceError
from metta_audio.rendering.mastering import Mastering
from metta_audio.rendering.options import Options
from metta_audio.settings import DEFAULT_VOICE, Settings, debugging, read_settings, settings_file
from metta_audio.voices.registry import find_engines


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


TEXTS = ("voice", "fallback", "scripts", "cache", "user")
NONE = {**dict.fromkeys(TEXTS, (5, True, ["a"], {"a": 1}, "a\0b"))} | {
    "private": ("yes", 1, []),
    "cache_limit": ("much", -1, True, float("nan"), float("inf"), []),
    "exclude": ("ocean", [1], {}),
    "loudness": ([], True, {}, "loudly", 5.0, float("nan")),
    "duck": (5, "deep", []),
    "piper": (5, "a"),
    "kokoro": ([],),
    "http": ("http://127.0.0.1", [1]),
    "command": ("say {text}",),
}
INNER = {
    ("duck", "depth"): ("deep", True, [], 3, -60, float("nan")),
    ("duck", "attack"): ("slow", -1),
    ("duck", "release"): (0, {}),
    ("duck", "bridge"): (-1,),
    ("duck", "rise"): (60,),
    ("duck", "rise_after"): (0,),
    ("duck", "rise_over"): ("8",),
    ("duck", "deepness"): (3,),
    ("piper", "folder"): (5, "", [], "~nobody-of-that-name/x"),
    ("piper", "foldr"): ("a",),
    ("kokoro", "model"): (5, True, "a\0b"),
    ("kokoro", "voices"): (["a"],),
    ("http", "url"): (5, [], {"a": 1}, "ftp://127.0.0.1", "127.0.0.1:8880", "http://a:b@c", "http://two words"),
    ("http", "key"): (5, []),
    ("http", "model"): (5,),
    ("http", "voices"): ("a", [1], [""], {}),
    ("http", "languages"): ("en", [5]),
    ("http", "timeout"): (0, -1, "5", True, 1e9, float("nan")),
    ("http", "ur"): ("http://127.0.0.1",),
    ("command", "ana"): (5, [], True, "", "say {txt}", "say 'a", "{text}"),
    ("command", "ana", "line"): (5, "", "say {txt}"),
    ("command", "ana", "language"): (5,),
    ("command", "ana", "licence"): ([],),
    ("command", "ana", "timeout"): (0, "5", True),
    ("command", "ana", "lin"): ("say",),
    ("espeak", "variant"): ("f3",),
    ("tone", "pitch"): (3,),
}
WRONG = [((name,), value) for name, values in NONE.items() for value in values]
WRONG += [(names, value) for names, values in INNER.items() for value in values]


def written(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {written(each)}" for key, each in value.items()) + "}"
    return json.dumps(value).replace("NaN", "nan").replace("Infinity", "inf")


def problem_of(name: str) -> str:
    """What a command says of the settings, as soon as it needs what is called so."""
    try:
        settings = read_settings()
        Mastering.of(Options(), settings)
    except SettingsError as error:
        return str(error)
    engine = find_engines(settings.setup())[name]
    return engine.problem() or next(info.problem for info in engine.voices() if info.problem)


@pytest.mark.parametrize(("names", "value"), WRONG)
def test_whatever_is_wrong_in_the_file_is_told_with_its_line_its_name_and_what_to_write(
    file: Path, names: tuple[str, ...], value: object
) -> None:
    *tables, key = names
    head = [f"[{'.'.join(tables)}]"] if tables else []
    around = ['url = "http://127.0.0.1"'] if tables == ["http"] and key != "url" else []
    file.write_text("\n".join(["# mine", *head, *around, f"{key} = {written(value)}", ""]))
    told = problem_of(names[0])
    # A table that may not be, and what is wrong with all of a table, stands where that begins.
    lines = {2 + len(head) + len(around), 2 if names[0] in ("espeak", "tone", "duck") else 0}
    assert any(told.startswith(f"{file}:{line}:") for line in lines)
    assert names[-1] in told or names[0] in told
    assert "; " in told, "it says what to do"


def test_a_place_is_found_however_a_table_is_written(file: Path) -> None:
    file.write_text(
        'loudness = "sleep"\nhttp.url = "http://127.0.0.1"\nkokoro = { model = "a" }\n'
        "exclude = [\n  \"voice\",\n]\n[command]\n\"ana b\" = \"say\"\nbea.line = '''\nvoice = say\n'''\n"
        '[ command . "cleo" ]\n  line = "say"\n[piper]\nfolder = "/p"\n'
    )
    setup = read_settings().setup()
    places = {names: place.line for names, place in setup.places.items()}
    assert places == {
        ("loudness",): 1,
        ("http",): 2,
        ("http", "url"): 2,
        ("kokoro",): 3,
        ("exclude",): 4,
        ("command",): 7,
        ("command", "ana b"): 8,
        ("command", "bea"): 9,
        ("command", "bea", "line"): 9,
        ("command", "cleo"): 12,
        ("command", "cleo", "line"): 13,
        ("piper",): 14,
        ("piper", "folder"): 15,
    }
    assert setup.place("kokoro", "model") == Place(str(file), 3)
    assert setup.place("tone") is None


def test_a_place_is_the_line_that_an_editor_shows(file: Path) -> None:
    file.write_text('fallback = "a\u2028b\x85c"  # don\'t\nprivate = 3\n')
    with pytest.raises(SettingsError) as caught:
        read_settings()
    assert str(caught.value).startswith(f"{file}:2:1: ")


@pytest.mark.parametrize("quotes", ['"""', "'''"])
def test_a_row_of_a_longer_text_is_no_setting(file: Path, quotes: str) -> None:
    end = f"{quotes[0]}{quotes}"  # a quote of the text itself may stand before those that close it
    longer = f'{quotes}\nvoice = 1\n[http]\nurl = it\'s "so"\n{end}'
    file.write_text(f'# """\ncommand.a = {longer}\nvoice = "x"\n[http]\nurl = "#"\n')
    places = read_settings().setup().places
    lines = {names: place.line for names, place in places.items() if "http" in names or "voice" in names}
    assert lines == {("voice",): 7, ("http",): 8, ("http", "url"): 9}


def test_an_error_says_whether_the_file_or_the_environment_is_to_blame(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def blamed(settings: Settings, *names: str) -> str:
        with pytest.raises(VoiceError) as caught, settings.blamed(*names):
            raise VoiceError("unknown voice", hint="choose another")
        return str(caught.value)

    file.write_text('fallback = "x"\nvoice = "y"\n')
    assert blamed(read_settings(), "voice") == f"{file}:2:1: unknown voice; choose another"
    assert blamed(read_settings(), "fallback") == f"{file}:1:1: unknown voice; choose another"
    monkeypatch.setenv("METTA_VOICE", "z")
    assert blamed(read_settings(), "voice") == "METTA_VOICE: unknown voice; choose another"
    monkeypatch.delenv("METTA_VOICE")
    file.write_text("")
    assert blamed(read_settings(), "voice") == "unknown voice; choose another"


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
    assert (settings.setup().kept, settings.setup(private=True).kept) == (settings.cache, None)
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
