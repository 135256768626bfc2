"""Files that cannot be read, places that cannot be written, names that say the wrong thing: nothing is lost."""

from __future__ import annotations

import os
import stat
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

BESIDE = (".chapters.json", ".manifest.json", ".srt", ".txt", ".vtt")


def listing(folder: Path) -> dict[str, bytes]:
    """Every file in ``folder``, hidden ones too, with its bytes."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"\n \n\t\n", "empty"),
        (b"\xef\xbb\xbf", "empty"),
        (b"---\n---\n", "nothing follows"),
        (b"\x7fELF\x02\x01\x01\0\0\0", "zero byte"),
        (b"ID3\x03\xff\xfb\x90", "not UTF-8"),
        ("---\ntitle: Übung\n---\nSit.\n".encode("latin-1"), "t.md:2:8: byte 11 (0xdc) is not UTF-8"),
        ("---\ntitle: One\n---\nSit.\n".encode("utf-16"), "UTF-16"),
        (b"---\ntitle: One\n---\n\xed\xa0\x80", "t.md:4:1"),
    ],
)
def test_bytes_that_are_no_script(run: Callable[..., Any], home: Path, data: bytes, words: str) -> None:
    (home / "t.md").write_bytes(data)
    assert words in run("plan", "t.md", "--estimate").complaint()


def test_a_huge_file_is_not_read_to_its_end(run: Callable[..., Any], home: Path) -> None:
    with (home / "t.md").open("wb") as file:
        file.write((home / "s.md").read_bytes())
        file.truncate(10**11)  # a sparse file: reading all of it would not end well
    assert "larger than 1 MB" in run("plan", "t.md").complaint()


def test_a_file_that_may_not_be_read(spawn: Callable[..., Any], run: Callable[..., Any], home: Path) -> None:
    (home / "s.md").chmod(0)
    if os.access(home / "s.md", os.R_OK):
        pytest.skip("this user may read everything")
    assert "cannot read s.md: Permission denied" in run("plan", "s.md").complaint()


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """A folder outside all shelves, with something of each kind in it."""
    import numpy as np
    import soundfile

    folder = tmp_path / "secret"
    for name in ("packs", "_parts", "sounds"):
        (folder / name).mkdir(parents=True)
    (folder / "packs" / "own.yaml").write_text("phrases: [be well]\n")
    (folder / "_parts" / "own.md").write_text("A secret.\n")
    soundfile.write(folder / "sounds" / "own.wav", np.random.default_rng(1).normal(0, 0.1, (44_100, 1)), 44_100)
    return folder


USES = {
    "packs/own.yaml": "{% for wish in pack('own') %}{{ wish }}.{% endfor %}",
    "_parts/own.md": "{% include '_parts/own.md' %}",
    "sounds/own.wav": "Sit. [sound own.wav]",
}


@pytest.mark.parametrize("use", USES)
def test_a_link_out_of_a_shelf_leads_nowhere(
    run: Callable[..., Any], write: Callable[..., str], home: Path, secret: Path, use: str
) -> None:
    script = write(USES[use] + " Sit. [silence 1s..9m]")
    (home / use).parent.mkdir()
    (home / use).symlink_to(secret / use)
    assert "own" in run("plan", script).complaint()
    (home / use).unlink()
    (home / use).write_bytes((secret / use).read_bytes())
    assert run("plan", script).code == 0


@pytest.mark.parametrize("use", USES)
def test_a_whole_folder_that_is_a_link_leads_nowhere(
    run: Callable[..., Any], home: Path, secret: Path, use: str
) -> None:
    sent = home / "sent"
    sent.mkdir()
    text = (home / "s.md").read_text()
    (sent / "t.md").write_text(text[: text.index("# Arriving")] + USES[use] + " Sit. [silence 1s..9m]")
    folder = use.partition("/")[0]
    (sent / folder).symlink_to(secret / folder)
    assert "own" in run("plan", "sent/t.md").complaint()


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["-o", "s.md"], 'unknown format ".md"'),
        (["-o", "a.mp4"], 'did you mean "mp3"'),
        (["--format", "mp5"], 'did you mean "mp3"'),
        (["-o", "a.mp3", "--format", "flac"], "a.flac"),
        (["-o", "a.txt", "--format", "wav"], ".wav"),
        (["-o", "s.md", "--format", "wav"], "the script itself"),
        (["-o", "/"], "is a folder"),
        (["-o", "."], "is a folder"),
        (["-o", ""], "is a folder"),
        (["-o", "s.md/a.wav"], "cannot write into s.md"),
        (["-o", "/proc/a.wav"], "cannot write into /proc"),
        (["-o", "/dev/null", "--format", "wav"], "no ordinary file"),
        (["-o", "a" * 250 + ".wav"], "File name too long"),
        (["-o", "a" * 300 + ".wav"], "File name too long"),
    ],
)
def test_a_place_that_cannot_be_written(run: Callable[..., Any], home: Path, args: list[str], words: str) -> None:
    before = listing(home)
    assert words in run("render", "s.md", *args).complaint()
    assert listing(home) == before
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)


@pytest.mark.parametrize("suffix", ["", *BESIDE])
def test_a_folder_in_the_way_of_any_file(run: Callable[..., Any], home: Path, tmp_path: Path, suffix: str) -> None:
    name = f"a{suffix}" if suffix else "a.wav"
    (home / name).mkdir()
    before = listing(home)
    assert f"{name} is a folder" in run("render", "s.md", "-o", "a.wav").complaint()
    assert listing(home) == before
    assert not (tmp_path / "cache").exists()  # seen before any work was done


def test_a_folder_that_cannot_be_written_is_seen_before_the_work(
    run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    if not Path("/proc").is_dir():
        pytest.skip("needs a folder in which even root can make no file")
    monkeypatch.setattr("metta_audio.rendering.making.write_audio", lambda *_, **__: pytest.fail("began to work"))
    assert "cannot write into /proc" in run("render", "s.md", "-o", "/proc/a.wav").complaint()


def test_a_script_is_never_replaced_by_its_transcript(run: Callable[..., Any], home: Path) -> None:
    (home / "s.md").rename(home / "talk.txt")
    before = listing(home)
    assert "the script itself" in run("render", "talk.txt", "-o", "talk.wav").complaint()
    assert listing(home) == before


def test_a_folder_that_may_not_be_written(run: Callable[..., Any], home: Path) -> None:
    (home / "out").mkdir(mode=0o500)
    if os.access(home / "out", os.W_OK):
        pytest.skip("this user may write everywhere")
    assert "cannot write into out: Permission denied" in run("render", "s.md", "-o", "out/a.wav").complaint()


@pytest.mark.parametrize(
    "name", ["a b.wav", "ä 呼吸 🧘🏽‍♀️.wav", "-a.wav", ".a.wav", "a.b.wav", "new/folder/a.wav", "plain"]
)
def test_any_name_is_fine(run: Callable[..., Any], home: Path, name: str) -> None:
    args = ["-o", name] if name != "plain" else ["-o", name, "--format", "wav"]
    report = run("render", "s.md", *args, "--json").json
    assert sorted(report["files"]) == sorted([name, *(name.removesuffix(".wav") + suffix for suffix in BESIDE)])
    assert all((home / file).is_file() for file in report["files"])
    assert run("inspect", "--json", "--", name).json["seconds"] == 30


def test_a_name_that_is_not_unicode(run: Callable[..., Any], home: Path) -> None:
    name = os.fsdecode(b"caf\xe9")
    assert "'caf\\udce9.wav' is no name" in run("render", "s.md", "-o", f"{name}.wav").complaint()
    (home / "s.md").rename(home / f"{name}.md")
    assert "'caf\\udce9.md' is not Unicode" in run("plan", f"{name}.md").complaint()


def test_the_default_name_tells_practice_and_minutes(run: Callable[..., Any], home: Path) -> None:
    assert run("render", "s.md", "--format", "WAV").code == 0
    assert sorted(path.name for path in (home / "output").iterdir()) == [
        "s-0.5min.chapters.json", "s-0.5min.manifest.json", "s-0.5min.srt", "s-0.5min.txt", "s-0.5min.vtt",
        "s-0.5min.wav",
    ]  # fmt: skip


def test_a_cache_that_cannot_be_written(run: Callable[..., Any], home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METTA_CACHE", str(home / "s.md"))
    ran = run("render", "s.md", "-o", "a.wav")
    assert (ran.code, ran.err) == (0, "")
    assert run("plan", "s.md", "--estimate").code == 0


# -- a full disk


@pytest.fixture
def older(run: Callable[..., Any], home: Path) -> dict[str, bytes]:
    """An older recording in ``out/``, and every clip in the cache."""
    assert run("render", "s.md", "-o", "out/a.wav", "--minutes", 0.4).code == 0
    return listing(home / "out")


@pytest.fixture
def largest_file() -> Iterator[Callable[[int], None]]:
    """``largest_file(bytes)``: this process writes no larger ones, as if the disk were full."""
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda limit: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize(
    ("suffix", "limit"),
    [
        ("wav", 0),
        ("wav", 1_000),
        ("wav", 500_000),
        ("wav", 7_900_000),
        ("flac", 20_000),
        ("mp3", 0),
        ("mp3", 20_000),
        ("ogg", 20_000),
        ("opus", 1_000),
    ],
)
def test_no_room_for_a_file(
    run: Callable[..., Any],
    home: Path,
    older: dict[str, bytes],
    largest_file: Callable[[int], None],
    limit: int,
    suffix: str,
    tmp_path: Path,
) -> None:
    largest_file(limit)
    ran = run("render", "s.md", "-o", f"out/a.{suffix}")
    largest_file(-1)
    assert "room on the disk" in ran.complaint()
    assert listing(home / "out") == older
    assert not list((tmp_path / "cache" / "work").iterdir())


@pytest.fixture
def small_disk(tmp_path: Path) -> Any:
    """A disk of two megabytes; skipped where we may not mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("needs the right to mount a file system")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_for_the_output(run: Callable[..., Any], small_disk: Path) -> None:
    assert run("render", "s.md", "-o", small_disk / "a.opus").code == 0
    before = listing(small_disk)
    complaint = run("render", "s.md", "-o", small_disk / "a.wav").complaint()
    assert "No space left" in complaint
    assert "make room" in complaint
    assert listing(small_disk) == before


def test_a_full_disk_for_the_cache(
    spawn: Callable[..., Any], home: Path, small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("METTA_CACHE", str(small_disk))
    with (small_disk / "filler").open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(b"x" * 4096)
    assert "cache" in spawn("render", "s.md", "-o", "out/a.wav").complaint()
    assert not (home / "out").exists()


@pytest.mark.skipif(not Path("/dev/full").is_char_device(), reason="needs /dev/full")
@pytest.mark.parametrize("args", [("plan", "s.md", "--estimate"), ("practices",), ("doctor", "--json")])
def test_no_room_for_what_is_printed(spawn: Callable[..., Any], args: tuple[str, ...]) -> None:
    with Path("/dev/full").open("w") as full:
        ran = spawn(*args, stdout=full)
    assert ran.code == 1
    assert ran.err.count("\n") == 1
    assert ran.err.startswith("metta: No space left on device")
