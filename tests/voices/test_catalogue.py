"""Which voices can be fetched: what is shipped, and what a user's own voices.toml adds."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from metta_audio.errors import VoiceError
from metta_audio.speech.voice import Setup
from metta_audio.voices.catalogue import (
    Fetchable,
    damaged,
    fetchable,
    folder,
    is_here,
    lack,
    parse_catalogue,
    read_catalogue,
)

SET = """
[[set]]
engine = "piper"
licence = "CC0"
files = [
  { url = "https://example.org/a.onnx", file = "a.onnx", bytes = 10 },
  { url = "https://example.org/a.onnx.json", file = "a.onnx.json", bytes = 5 },
]
voices = [
  { names = "en_US-a-low", languages = ["en-us"], summary = "a voice" },
]
"""


@pytest.fixture
def setup(tmp_path: Path) -> Setup:
    return Setup(voices=tmp_path)


@pytest.fixture
def shipped(setup: Setup) -> tuple[Fetchable, ...]:
    return read_catalogue(setup)


def test_every_shipped_file_has_a_safe_address_a_size_and_a_checksum(shipped: tuple[Fetchable, ...]) -> None:
    for voice in shipped:
        for each in voice.downloads:
            assert each.url.startswith("https://")
            assert each.url.endswith(f"/{each.file}")
            assert each.bytes > 1000
            assert re.fullmatch(r"sha256:[0-9a-f]{64}|md5:[0-9a-f]{32}", each.digest)


def test_no_two_shipped_voices_or_files_share_a_name_by_mistake(shipped: tuple[Fetchable, ...]) -> None:
    assert len({voice.name for voice in shipped}) == len(shipped)
    files = {(voice.engine, each.file): each for voice in shipped for each in voice.downloads}
    assert all(files[voice.engine, each.file] == each for voice in shipped for each in voice.downloads)
    digests = [each.digest for each in files.values()]
    assert len(set(digests)) == len(digests)


def test_every_shipped_voice_may_be_heard_in_a_published_recording(shipped: tuple[Fetchable, ...]) -> None:
    free = re.compile(r"(public domain|CC0|CC BY \d\.0|Unlicense|Apache-2\.0)(, from lessac)?")
    assert all(free.fullmatch(voice.licence) for voice in shipped)


def test_a_piper_voice_is_its_model_and_what_belongs_to_it_at_a_fixed_revision(setup: Setup) -> None:
    found = fetchable("piper", setup)
    assert 15 <= len(found) <= 25
    for voice in found:
        name = voice.name.partition(":")[2]
        code, speaker, quality = name.split("-")
        language = code.partition("_")[0]
        path = f"{language}/{code}/{speaker}/{quality}/{name}"
        graph, settings = voice.downloads
        start = "https://huggingface.co/rhasspy/piper-voices/resolve/"
        assert re.fullmatch(rf"{start}[0-9a-f]{{40}}/{path}\.onnx", graph.url)
        assert settings.url == f"{graph.url}.json"
        assert voice.languages == (code.lower().replace("_", "-"),)


def test_the_languages_of_practices_have_a_natural_voice(shipped: tuple[Fetchable, ...]) -> None:
    spoken = {language.partition("-")[0] for voice in shipped for language in voice.languages}
    assert spoken >= {"en", "de", "es", "fr", "it", "nl", "pt"}


def test_all_kokoro_voices_come_in_the_same_two_files(setup: Setup) -> None:
    found = fetchable("kokoro", setup)
    assert len(found) == 41
    assert {voice.downloads for voice in found} == {found[0].downloads}
    assert [each.file for each in found[0].downloads] == ["kokoro-v1.0.onnx", "voices-v1.0.bin"]
    kinds = {"a": "en-us", "b": "en-gb", "e": "es", "f": "fr-fr", "h": "hi", "i": "it", "p": "pt-br"}
    assert all(voice.languages == (kinds[voice.name.partition(":")[2][0]],) for voice in found)


def test_the_best_comes_first(setup: Setup) -> None:
    assert fetchable("piper", setup)[0].name == "piper:en_US-ljspeech-high"
    assert fetchable("kokoro", setup)[0].name == "kokoro:af_heart"


def test_a_voice_is_here_when_all_its_files_are(setup: Setup) -> None:
    (voice,) = parse_catalogue(SET, "f.toml")
    assert voice.bytes == 15
    place = folder("piper", setup)
    assert not is_here(voice, setup)
    place.mkdir()
    (place / "a.onnx").write_bytes(b"1234567890")
    assert not is_here(voice, setup)
    (place / "a.onnx.json.part").write_bytes(b"12345")
    assert not is_here(voice, setup)
    (place / "a.onnx.json").write_bytes(b"12345")
    assert is_here(voice, setup)
    assert damaged([voice], setup) == frozenset()


@pytest.mark.parametrize("content", [b"", b"123456789", b"<html>not found</html>"])
def test_a_file_of_another_size_is_damaged(content: bytes, setup: Setup) -> None:
    (voice,) = parse_catalogue(SET, "f.toml")
    place = folder("piper", setup)
    place.mkdir()
    assert lack(voice, setup, damaged([voice], setup)) == "not fetched yet: metta voices get piper:en_US-a-low"
    (place / "a.onnx.json").write_bytes(b"12345")
    (place / "a.onnx").write_bytes(content)
    assert not is_here(voice, setup)
    wrong = damaged([voice], setup)
    assert wrong == {place / "a.onnx"}
    assert lack(voice, setup, wrong) == "damaged: metta voices get piper:en_US-a-low fetches it again"
    # A mirror's other edition under the same name is what it should be.
    other = parse_catalogue(SET.replace("bytes = 10", f"bytes = {max(1, len(content))}"), "f.toml")
    assert damaged([voice, *other], setup) == (frozenset() if content else wrong)


def test_an_open_address_will_do_where_a_checksum_or_this_machine_vouches_for_the_file() -> None:
    digest = "md5:" + "0" * 32
    vouched = SET.replace('https://example.org/a.onnx"', 'http://example.org/a.onnx"').replace(
        "bytes = 10", f'bytes = 10, digest = "{digest}"'
    )
    (voice,) = parse_catalogue(vouched, "f.toml")
    assert (voice.downloads[0].url, voice.downloads[0].digest) == ("http://example.org/a.onnx", digest)
    assert parse_catalogue(SET.replace("https://example.org", "http://127.0.0.1:8000"), "f.toml")


def test_ones_own_catalogue_adds_voices_and_replaces_shipped_ones(setup: Setup, shipped: tuple[Fetchable, ...]) -> None:
    mirror = SET.replace("en_US-a-low", "en_US-a-low en_US-ljspeech-high")
    (setup.voices / "voices.toml").write_text(mirror, encoding="utf-8")
    found = {voice.name: voice for voice in read_catalogue(setup)}
    assert set(found) == {voice.name for voice in shipped} | {"piper:en_US-a-low"}
    assert found["piper:en_US-ljspeech-high"].downloads[0].url == "https://example.org/a.onnx"
    assert len(read_catalogue(setup)) == len(found)
    assert fetchable("piper", setup)[0].name == "piper:en_US-a-low"


def test_ones_own_catalogue_at_fault_stops_no_rendering(setup: Setup, shipped: tuple[Fetchable, ...]) -> None:
    (setup.voices / "voices.toml").write_bytes(b"[[set]\n\xff")
    assert len(fetchable("piper", setup)) + len(fetchable("kokoro", setup)) == len(shipped)
    with pytest.raises(VoiceError, match="not UTF-8"):
        read_catalogue(setup)
    (setup.voices / "voices.toml").write_text("[[set]]\nengine = 'paper'\n")
    with pytest.raises(VoiceError, match=r'voices\.toml:2:1: .*did you mean "piper"'):
        read_catalogue(setup)


FAULTS = [
    ('engine = "piper"', 'engine = "pipper"', 3, 'did you mean "piper"'),
    ('licence = "CC0"', "", 2, '"licence" is missing'),
    ("https://example.org/a.onnx.json", "ftp://example.org/a.onnx.json", 7, "no web address"),
    ("https://example.org/a.onnx.json", "file:///etc/passwd", 7, "no web address"),
    ("https://example.org/a.onnx.json", "http://example.org/a", 7, "use https, or give its digest"),
    ("https://example.org/a.onnx.json", "https://me:key@example.org/a", 7, "before the @"),
    ("https://example.org/a.onnx.json", "https://[example/a", 7, "no address"),
    ("https://example.org/a.onnx.json", "https://example.org:port/a", 7, "no address"),
    ('file = "a.onnx.json"', 'file = "../a.json"', 7, "no name for a file"),
    ('file = "a.onnx.json"', 'file = "b/a.json"', 7, "no name for a file"),
    ('file = "a.onnx.json"', "file = 'b\\a.json'", 7, "no name for a file"),
    ('file = "a.onnx.json"', 'file = ".a"', 7, "no name for a file"),
    ('file = "a.onnx.json"', 'file = "a.part"', 7, "no name for a file"),
    ('file = "a.onnx.json"', 'file = "a.lock"', 7, "no name for a file"),
    ("bytes = 5", "bytes = 0", 7, "must lie between"),
    ("bytes = 5", "bytes = 5.5", 7, "whole number"),
    ("bytes = 5", 'bytes = 5, digest = "md5:123"', 7, "no checksum"),
    ("bytes = 5", 'bytes = 5, digest = "crc:12345678"', 7, "no checksum"),
    ("bytes = 5", 'bytes = 5, sum = "1"', 7, 'unknown key "sum"'),
    ('["en-us"]', "[]", 10, "at least one language"),
    ('["en-us"]', '["en_US"]', 10, "list of words"),
    ("en_US-a-low", "en US", None, None),
    ("en_US-a-low", "a/b", 10, "no name of a voice"),
    ("voices =", "speakers =", 2, '"voices" is missing'),
    ("[[set]]", "[[sets]]", 2, 'did you mean "set"'),
]


@pytest.mark.parametrize(("old", "new", "line", "told"), FAULTS)
def test_a_fault_is_told_with_its_place(old: str, new: str, line: int | None, told: str | None) -> None:
    text = SET.replace(old, new, 1)
    assert text != SET
    if line is None:
        assert [voice.name for voice in parse_catalogue(text, "f.toml")] == ["piper:en", "piper:US"]
        return
    with pytest.raises(VoiceError) as failure:
        parse_catalogue(text, "f.toml")
    assert str(failure.value).startswith(f"f.toml:{line}:")
    assert told is not None
    assert told in str(failure.value)
    assert "key@" not in str(failure.value)
