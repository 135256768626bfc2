"""Fetching a voice: whole or not at all, and never twice what is here already."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import pytest
import soundfile
from file_server import FileServer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tiny_models import write_piper

from metta_audio.errors import VoiceError
from metta_audio.rendering.trying import try_voice
from metta_audio.rendering.voices import get_voice, list_voices, remove_voice
from metta_audio.units import file_size
from metta_audio.voices import download as module
from metta_audio.voices import transfer
from metta_audio.voices.catalogue import Download, Fetchable
from metta_audio.voices.download import TRIES, fetch, fetch_voice
from metta_audio.voices.part import alone

CONTENT = bytes(range(256)) * 1200  # 300 kB: more than one packet and one buffer


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAUSE", 0.0)
    monkeypatch.setattr(transfer, "_READ", 0.5)


@pytest.fixture
def server() -> Iterator[FileServer]:
    with FileServer({"/a": CONTENT}) as server:
        yield server


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "voices" / "piper" / "a.onnx"


def asked_of(server: FileServer, content: bytes = CONTENT, digest: str | None = None) -> Download:
    known = f"sha256:{hashlib.sha256(content).hexdigest()}" if digest is None else digest
    return Download(server.url(), "a.onnx", len(content), known)


def names(target: Path) -> list[str]:
    return sorted(path.name for path in target.parent.iterdir())


def fails(server: FileServer, target: Path, *moods: str, digest: str | None = None) -> str:
    server.moods.extend(moods)
    with pytest.raises(VoiceError) as failure:
        fetch(asked_of(server, digest=digest), target)
    assert not target.exists()
    return str(failure.value)


def cut(server: FileServer, target: Path, at: int, digest: str | None = None) -> None:
    """Have a first run end after ``at`` bytes."""
    server.moods.extend([f"cut {at}", *["cut 0"] * (TRIES - 1)])
    with pytest.raises(VoiceError, match="run it again: it goes on where it stopped"):
        fetch(asked_of(server, digest=digest), target)


@pytest.mark.parametrize("kind", ["sha256", "md5", ""])
def test_a_file_arrives_whole_and_leaves_nothing_beside_it(server: FileServer, target: Path, kind: str) -> None:
    told: list[tuple[int, int]] = []
    digest = f"{kind}:{hashlib.new(kind, CONTENT).hexdigest()}" if kind else ""
    fetch(asked_of(server, digest=digest), target, lambda done, total: told.append((done, total)))
    assert target.read_bytes() == CONTENT
    assert names(target) == ["a.onnx"]
    assert told == sorted(told)
    assert told[-1] == (len(CONTENT), len(CONTENT))


def test_what_is_here_is_not_asked_for_again_unless_it_is_another_file(server: FileServer, target: Path) -> None:
    fetch(asked_of(server), target)
    fetch(asked_of(server), target)
    assert len(server.asked) == 1
    target.write_bytes(CONTENT[:-1] + b"x")
    fetch(asked_of(server), target)
    assert target.read_bytes() == CONTENT
    target.write_bytes(CONTENT[:-1])
    fetch(asked_of(server, digest=""), target)
    assert target.read_bytes() == CONTENT


class Story(NamedTuple):
    content: bytes
    cuts: list[int]


@st.composite
def stories(draw: st.DrawFn) -> Story:
    content = draw(st.binary(min_size=1, max_size=2000))
    return Story(content, draw(st.lists(st.integers(0, len(content) - 1), max_size=6)))


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(stories())
def test_however_often_it_is_cut_each_byte_comes_once(tmp_path_factory: pytest.TempPathFactory, story: Story) -> None:
    target = tmp_path_factory.mktemp("cut") / "a.onnx"
    with FileServer({"/a": story.content}) as server:
        server.moods.extend(f"cut {at}" for at in story.cuts)
        for _ in range(3):
            with suppress(VoiceError):
                fetch(asked_of(server, story.content), target)
        assert target.read_bytes() == story.content
        assert sum(server.sent) == len(story.content)


@pytest.mark.parametrize(
    ("etag", "dated", "mark"),
    [("strong", True, '"'), ("weak", True, "Sun, 22 Nov"), ("", True, "Sun"), ("", False, "")],
)
def test_the_next_run_asks_for_the_rest_of_the_very_same_file(target: Path, etag: str, dated: bool, mark: str) -> None:
    with FileServer({"/a": CONTENT}, etag, dated=dated) as server:
        cut(server, target, 100_000)
        before = len(server.asked)
        fetch(asked_of(server), target)
        assert target.read_bytes() == CONTENT
        assert server.asked[before]["range"] == "bytes=100000-"
        assert server.asked[before].get("if-range", "").startswith(mark)
        assert server.sent[before] == len(CONTENT) - 100_000


def test_a_server_that_knows_no_ranges_begins_again(server: FileServer, target: Path) -> None:
    cut(server, target, 100_000)
    server.moods.append("norange")
    fetch(asked_of(server), target)
    assert target.read_bytes() == CONTENT
    assert server.sent[-1] == len(CONTENT)


@pytest.mark.parametrize("etag", ["strong", ""])
def test_two_files_are_never_mixed_even_without_a_checksum(target: Path, etag: str) -> None:
    other = CONTENT[::-1]
    with FileServer({"/a": CONTENT}, etag) as server:
        cut(server, target, 100_000, digest="")
        server.files["/a"] = other
        fetch(asked_of(server, digest=""), target)
        assert target.read_bytes() == other


def test_a_part_that_is_too_long_or_of_something_else_is_not_taken_up(server: FileServer, target: Path) -> None:
    cut(server, target, 100_000)
    part = target.with_name("a.onnx.part")
    part.write_bytes(CONTENT + b"x")
    fetch(asked_of(server), target)
    assert target.read_bytes() == CONTENT
    target.unlink()
    part.write_bytes(b"from nowhere")
    fetch(asked_of(server), target)
    assert target.read_bytes() == CONTENT
    target.unlink()
    cut(server, target, 100_000)
    asked = Download(server.url("/b"), "a.onnx", 9, f"sha256:{hashlib.sha256(b'other one').hexdigest()}")
    server.files["/b"] = b"other one"
    fetch(asked, target)
    assert target.read_bytes() == b"other one"
    assert names(target) == ["a.onnx"]


def test_a_part_from_another_address_is_not_taken_up(target: Path) -> None:
    other = CONTENT[::-1]
    with FileServer({"/a": CONTENT, "/b": other}, etag="") as server:
        cut(server, target, 100_000)
        digest = f"sha256:{hashlib.sha256(other).hexdigest()}"
        fetch(Download(server.url("/b"), "a.onnx", len(other), digest), target)
        assert target.read_bytes() == other


def test_a_part_that_is_whole_already_only_needs_its_name(server: FileServer, target: Path) -> None:
    cut(server, target, 100_000)
    target.with_name("a.onnx.part").write_bytes(CONTENT)
    before = len(server.asked)
    fetch(asked_of(server), target)
    assert target.read_bytes() == CONTENT
    assert len(server.asked) == before


@pytest.mark.parametrize(
    "moods", [("416",), ("shifted",), ("503",), ("429", "500"), ("hang",), ("cut 5", "cut 7", "cut 9")]
)
def test_trouble_that_passes_is_waited_out(server: FileServer, target: Path, moods: tuple[str, ...]) -> None:
    cut(server, target, 100_000)
    server.moods.extend(moods)
    fetch(asked_of(server), target)
    assert target.read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("mood", "reason", "advice"),
    [
        ("500", "in trouble (500)", "run it again"),
        ("hang", "does not answer", "run it again"),
        ("404", "answers 404", "look for a newer version"),
        ("403", "answers 403", "voices.toml"),
        ("418", "answers 418", "try again later"),
        ("html", "a web page came", "sign in"),
    ],
)
def test_trouble_that_stays_is_told_and_what_is_here_is_kept(
    server: FileServer, target: Path, mood: str, reason: str, advice: str
) -> None:
    cut(server, target, 100_000)
    before = len(server.asked)
    complaint = fails(server, target, *[mood] * TRIES)
    assert reason in complaint
    assert advice in complaint
    assert len(server.asked) - before <= TRIES
    server.moods.clear()
    fetch(asked_of(server), target)
    assert target.read_bytes() == CONTENT
    assert server.sent[-1] == len(CONTENT) - 100_000


def test_what_trickles_in_is_given_up_and_kept(
    server: FileServer, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfer, "_LOOK", 0.2)
    start = time.monotonic()
    assert "a.onnx could not be fetched: it comes too slowly; run it again" in fails(server, target, *["drip"] * TRIES)
    assert time.monotonic() - start < 5
    kept = target.with_name("a.onnx.part").stat().st_size
    assert kept > 500
    fetch(asked_of(server), target)
    assert target.read_bytes() == CONTENT
    assert server.sent[-1] == len(CONTENT) - kept


def test_an_answer_that_never_begins_is_given_up(
    server: FileServer, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfer, "_LOOK", 0.2)
    start = time.monotonic()
    assert "the server does not answer; run it again" in fails(server, target, *["drip-headers"] * TRIES)
    assert time.monotonic() - start < 5
    assert len(server.asked) == TRIES


def test_a_slow_line_that_moves_is_no_trickle(
    server: FileServer, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfer, "_LOOK", 0.05)
    monkeypatch.setattr(transfer, "_CRAWL", 100)
    monkeypatch.setattr(module, "TRIES", 1)
    server.files["/a"] = CONTENT[:2000]
    server.moods.append("drip")
    fetch(asked_of(server, CONTENT[:2000]), target)
    assert target.read_bytes() == CONTENT[:2000]


def test_nobody_there_is_told_at_once(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAUSE", 60.0)
    with FileServer({"/a": CONTENT}) as gone:
        asked = asked_of(gone)
    with pytest.raises(VoiceError) as failure:
        fetch(asked, target)
    assert "the connection to 127.0.0.1 is refused" in failure.value.what
    assert "Errno" not in str(failure.value)
    assert "proxy (HTTPS_PROXY); then run it again: it goes on where it stopped" in failure.value.hint


def test_a_name_that_is_not_found_is_told_in_plain_words(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*args: object, **options: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(VoiceError) as failure:
        fetch(Download("https://voices.invalid/a", "a.onnx", 5), target)
    assert "no machine called voices.invalid is found" in failure.value.what
    assert "Errno" not in str(failure.value)
    assert "look whether the network is there" in failure.value.hint


def test_a_connection_that_breaks_off_is_told_in_our_own_words(server: FileServer, target: Path) -> None:
    complaint = fails(server, target, *["cut 0"] * TRIES)
    assert "a.onnx could not be fetched: the connection broke off" in complaint
    assert "peer" not in complaint


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("7200", "the server asks to wait 2 hours"),
        ("45", "the server asks to wait 45 seconds"),
        ("172800", "the server asks to wait 2 days"),
        ("Sun, 22 Nov 2026 10:10:00 GMT", "the server asks to wait 10 minutes"),
        ("9" * 5000, "the server asks to wait 30 days"),
    ],
)
def test_a_server_that_asks_for_a_long_wait_is_not_asked_again(target: Path, asked: str, told: str) -> None:
    with busy(asked) as (url, requests):
        with pytest.raises(VoiceError, match=r"in trouble \(429\)") as failure:
            fetch(Download(url, "a.onnx", len(CONTENT)), target)
        assert failure.value.hint == f"{told}; then run it again: it goes on where it stopped"
        assert len(requests) == 1


@pytest.mark.parametrize(
    ("asked", "pauses"), [("7", [7.0] * 3), ("soon", [0.0] * 3), ("Sun, 22 Nov 2026 09:00:00 GMT", [0.0] * 3)]
)
def test_a_short_wait_is_waited(target: Path, monkeypatch: pytest.MonkeyPatch, asked: str, pauses: list[float]) -> None:
    waited: list[float] = []
    with busy(asked) as (url, requests):
        monkeypatch.setattr(module, "time", SimpleNamespace(sleep=waited.append))
        with pytest.raises(VoiceError, match="run it again"):
            fetch(Download(url, "a.onnx", len(CONTENT)), target)
        assert len(requests) == TRIES
    assert waited == pauses


@contextmanager
def busy(wait: str) -> Iterator[tuple[str, list[str]]]:
    """A server that has no time now, and says for how long; its address, and what it was asked for."""
    requests: list[str] = []

    class Busy(BaseHTTPRequestHandler):
        def log_message(self, *args: object) -> None:
            """Say nothing."""

        def date_time_string(self, timestamp: float | None = None) -> str:
            del timestamp
            return "Sun, 22 Nov 2026 10:00:00 GMT"

        def do_GET(self) -> None:
            requests.append(self.path)
            self.send_response(429)
            self.send_header("Retry-After", wait)
            self.send_header("Content-Length", "0")
            self.end_headers()

    with ThreadingHTTPServer(("127.0.0.1", 0), Busy) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/a", requests
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("size", "shown"), [(1, "1 kB"), (4_817, "5 kB"), (999_400, "999 kB"), (999_600, "1 MB"), (354_000_000, "354 MB")]
)
def test_a_size_is_told_in_megabytes_or_where_it_is_less_in_kilobytes(size: int, shown: str) -> None:
    assert file_size(size) == shown


def test_wrong_bytes_are_thrown_away(server: FileServer, target: Path) -> None:
    assert "checksum is wrong" in fails(server, target, "wrong")
    assert names(target) == []
    fetch(asked_of(server), target)
    assert target.read_bytes() == CONTENT


def test_a_part_that_was_damaged_here_is_thrown_away(server: FileServer, target: Path) -> None:
    cut(server, target, 100_000)
    part = target.with_name("a.onnx.part")
    part.write_bytes(b"x" + part.read_bytes()[1:])
    assert "checksum is wrong" in fails(server, target)
    assert names(target) == []


def test_a_file_of_another_length_is_not_even_begun(server: FileServer, target: Path) -> None:
    server.files["/a"] = CONTENT[:-1]
    assert "has not 307,200 bytes" in fails(server, target)
    assert names(target) == []


def test_a_file_without_an_end_is_cut_off(server: FileServer, target: Path) -> None:
    assert "has not 307,200 bytes" in fails(server, target, "endless", digest="")
    assert names(target) == []


def test_a_disk_that_is_too_small_is_noticed_before(
    server: FileServer, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**9, 10**9, 250_000))  # type: ignore[attr-defined]
    complaint = fails(server, target)
    assert "needs 307 kB more" in complaint
    assert "has 250 kB left" in complaint
    assert server.asked == []
    monkeypatch.undo()
    monkeypatch.setattr(module, "PAUSE", 0.0)
    cut(server, target, 100_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**9, 10**9, 250_000))  # type: ignore[attr-defined]
    fetch(asked_of(server), target)  # 207,200 are missing
    assert target.read_bytes() == CONTENT


def test_redirects_are_followed_but_never_out_of_safety(server: FileServer, target: Path) -> None:
    server.files["/b"] = CONTENT
    server.moods.append(f"redirect {server.url('/b')}")
    fetch(asked_of(server), target)
    assert target.read_bytes() == CONTENT
    target.unlink()
    for elsewhere in ("http://127.0.0.1.example.invalid/a", "file:///etc/passwd", "ftp://127.0.0.1/a"):
        assert "not https" in fails(server, target, f"redirect {elsewhere}")
    assert "in circles" in fails(server, target, *["redirect /a"] * 10)


@pytest.mark.parametrize(
    "url", ["ftp://127.0.0.1/a", "http://example.invalid/a", "https://me:secret@example.invalid/a"]
)
def test_an_address_that_is_not_safe_is_not_asked(target: Path, url: str) -> None:
    with pytest.raises(VoiceError, match="cannot be fetched") as failure:
        fetch(Download(url, "a.onnx", 5), target)
    assert "secret" not in str(failure.value)
    assert not target.parent.exists()


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "SSL_CERT_FILE"])
def test_an_environment_that_cannot_be_used_is_told(target: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "nowhere://at all")
    with pytest.raises(VoiceError, match=rf"the environment names.*{name}"):
        fetch(Download("https://example.invalid/a", "a.onnx", 5), target)
    assert names(target) == []


def test_two_processes_do_not_fetch_the_same_file(server: FileServer, target: Path) -> None:
    target.parent.mkdir(parents=True)
    with alone(target), pytest.raises(VoiceError, match="another process is fetching"):
        fetch(asked_of(server), target)
    assert server.asked == []
    fetch(asked_of(server), target)
    assert names(target) == ["a.onnx"]


def test_a_folder_that_cannot_be_written_is_told(server: FileServer, target: Path) -> None:
    target.parent.parent.mkdir()
    target.parent.write_text("a file where the folder should be")
    with pytest.raises(VoiceError, match="cannot write"):
        fetch(asked_of(server), target)


def test_who_is_interrupted_goes_on_later(server: FileServer, target: Path) -> None:
    def stop(done: int, _total: int) -> None:
        if done > 50_000:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch(asked_of(server), target, stop)
    kept = target.with_name("a.onnx.part").stat().st_size
    assert kept > 50_000
    fetch(asked_of(server), target)
    assert target.read_bytes() == CONTENT
    assert server.sent[-1] == len(CONTENT) - kept


def test_a_voice_is_as_far_as_all_its_files(server: FileServer, target: Path) -> None:
    server.files["/b"] = b"second"
    second = Download(server.url("/b"), "b.json", 6)
    voice = Fetchable("piper:a", ("en-us",), "CC0", "", (asked_of(server), second))
    told: list[tuple[int, int]] = []
    arrived = fetch_voice(voice, target.parent, lambda done, total: told.append((done, total)))
    assert [path.read_bytes() for path in arrived.files] == [CONTENT, b"second"]
    assert (arrived.fetched, arrived.damaged) == (arrived.files, ())
    target.write_bytes(CONTENT[::-1])
    again = fetch_voice(voice, target.parent)
    assert (again.files, again.fetched, again.damaged) == (arrived.files, (target,), (target,))
    assert fetch_voice(voice, target.parent).fetched == ()
    assert told == sorted(told)
    assert told[-1] == (voice.bytes, voice.bytes)


OWN = """
[[set]]
engine = "piper"
licence = "CC0"
files = [
{files}
]
voices = [{{ names = "en_US-tiny-low", languages = ["en-us"], summary = "hums" }}]
"""


def own_catalogue(server: FileServer, folder: Path, data: Path) -> None:
    """Serve a tiny model, and name it in the user's own catalogue."""
    model = write_piper(folder)
    rows = []
    for path in (model, model.with_name(f"{model.name}.json")):
        content = path.read_bytes()
        server.files[f"/{path.name}"] = content
        digest = hashlib.sha256(content).hexdigest()
        rows.append(
            f'{{ url = "{server.url(f"/{path.name}")}", file = "{path.name}", bytes = {len(content)},'
            f' digest = "sha256:{digest}" }},'
        )
    (data / "metta_audio" / "voices").mkdir(parents=True)
    (data / "metta_audio" / "voices" / "voices.toml").write_text(OWN.format(files="\n".join(rows)), encoding="utf-8")


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's own folder, empty."""
    folder = tmp_path / "data"
    monkeypatch.setenv("METTA_SETTINGS", str(tmp_path / "settings.toml"))
    (tmp_path / "settings.toml").write_text(f'user = "{(folder / "metta_audio").as_posix()}"\n')
    monkeypatch.setenv("METTA_CACHE", str(tmp_path / "cache"))
    return folder


def test_a_voice_is_fetched_heard_and_removed(server: FileServer, tmp_path: Path, data: Path) -> None:
    own_catalogue(server, tmp_path / "made", data)
    name = "piper:en_US-tiny-low"
    listed = {voice.name: voice for voice in list_voices(engine="piper")}
    assert (listed[name].installed, listed[name].fetchable) == (False, True)
    told: list[tuple[str, int, int]] = []
    got = get_voice(name, progress=lambda *step: told.append(step))
    assert got.voice.licence == "CC0"
    assert told[-1] == ("fetching", got.voice.bytes, got.voice.bytes)
    listed = {voice.name: voice for voice in list_voices(language="en-US")}
    assert listed[name].installed
    assert listed[name].auto
    tried = try_voice(name, tmp_path / "heard.flac", text="Here we are. Rest now.")
    assert (tried.name, tried.language) == (name, "en-us")
    assert soundfile.info(tried.path).frames > 44_100
    assert get_voice(name).notes == ("it was here already",)
    gone = remove_voice(name)
    assert gone.voices == (name,)
    assert sorted(path.name for path in gone.files) == ["en_US-tiny-low.onnx", "en_US-tiny-low.onnx.json"]
    assert list((data / "metta_audio" / "voices" / "piper").iterdir()) == []


@pytest.fixture
def big(tmp_path: Path, data: Path) -> Iterator[tuple[FileServer, Path, bytes]]:
    """A voice of one megabyte, on a server that stops half way the first time; and where the voice goes."""
    with FileServer({}) as server:
        content = os.urandom(1 << 20)
        server.files["/big.onnx"] = content
        digest = hashlib.sha256(content).hexdigest()
        url = server.url("/big.onnx")
        row = f'{{ url = "{url}", file = "big.onnx", bytes = {len(content)}, digest = "sha256:{digest}" }},'
        kept = data / "metta_audio" / "voices"
        kept.mkdir(parents=True)
        (kept / "voices.toml").write_text(OWN.format(files=row), encoding="utf-8")
        server.moods.append("slow")
        yield server, kept / "piper" / "big.onnx", content


GET = [sys.executable, "-m", "metta_audio", "voices", "get", "piper:en_US-tiny-low"]


def stopped(part: Path, number: signal.Signals) -> tuple[int, str]:
    """Run the command, and send it the signal when much is here: its exit code, and what it says."""
    with subprocess.Popen(GET, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        deadline = time.monotonic() + 30
        while not (part.exists() and part.stat().st_size > 400_000):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        process.send_signal(number)
        _, complaint = process.communicate(timeout=10)
    return process.returncode, complaint


def goes_on(server: FileServer, target: Path, content: bytes) -> None:
    """Run the command again: it fetches the rest, and nothing but the rest."""
    server.going.set()
    here = target.with_name("big.onnx.part").stat().st_size
    assert not target.exists()
    second = subprocess.run(GET, capture_output=True, text=True, timeout=30, check=False)
    assert second.returncode == 0, second.stderr
    assert target.read_bytes() == content
    assert server.asked[1]["range"] == f"bytes={here}-"
    assert server.sent[1] == len(content) - here
    assert [path.name for path in target.parent.iterdir()] == ["big.onnx"]


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
def test_killed_in_the_middle_the_next_command_fetches_only_the_rest(big: tuple[FileServer, Path, bytes]) -> None:
    server, target, content = big
    assert stopped(target.with_name("big.onnx.part"), signal.SIGKILL)[0] == -signal.SIGKILL
    goes_on(server, target, content)


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT to send")
def test_ctrl_c_is_obeyed_at_once_and_what_is_here_is_kept(big: tuple[FileServer, Path, bytes]) -> None:
    server, target, content = big
    assert stopped(target.with_name("big.onnx.part"), signal.SIGINT) == (130, "metta: stopped\n")
    goes_on(server, target, content)
