"""All or nothing, whatever happens."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import pytest

from metta_audio.encode.staging import Staging
from metta_audio.errors import EncodeError


def test_files_appear_at_commit_and_not_before(tmp_path: Path) -> None:
    out, work = tmp_path / "new" / "out", tmp_path / "work"
    with Staging(out, work) as staging:
        staging.path("a.txt").write_text("a")
        staging.path("b.txt").write_text("b")
        assert list(out.iterdir()) == []
        assert staging.commit() == [out / "a.txt", out / "b.txt"]
    assert sorted(path.name for path in out.iterdir()) == ["a.txt", "b.txt"]
    assert list(work.iterdir()) == []


def test_an_error_leaves_the_older_file(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("older")

    def interrupted() -> None:
        with Staging(tmp_path, tmp_path / "work") as staging:
            staging.path("a.txt").write_text("newer")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert (tmp_path / "a.txt").read_text() == "older"
    assert list((tmp_path / "work").iterdir()) == []


def test_another_disk_is_copied_to_and_renamed(tmp_path: Path) -> None:
    elsewhere = Path("/dev/shm")
    if not elsewhere.is_dir() or elsewhere.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("only one file system here")
    with tempfile.TemporaryDirectory(dir=elsewhere) as folder:
        out = Path(folder)
        (out / "a.txt").write_text("older")
        with Staging(out, tmp_path / "work") as staging:
            staging.path("a.txt").write_text("newer")
            staging.commit()
        assert [(path.name, path.read_text()) for path in out.iterdir()] == [("a.txt", "newer")]


def test_a_missing_file_undoes_the_commit(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("older")
    with Staging(tmp_path, tmp_path / "work") as staging:
        staging.path("a.txt").write_text("newer")
        staging.path("never-written.txt")
        with pytest.raises(EncodeError, match="cannot write into"):
            staging.commit()
    assert (tmp_path / "a.txt").read_text() == "older"


def test_a_folder_that_cannot_be_made_is_an_error_before_any_work(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(EncodeError, match="cannot write into"):
        Staging(tmp_path / "file" / "out", tmp_path / "work")


def test_a_cache_that_cannot_be_written_costs_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with Staging(tmp_path / "out", tmp_path / "file" / "work") as staging:
        staging.path("a.txt").write_text("a")
        staging.commit()
    assert (tmp_path / "out" / "a.txt").read_text() == "a"


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_what_a_killed_process_left_is_swept_by_the_next(tmp_path: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path; from metta_audio.encode.staging import Staging\n"
        "s = Staging(Path(sys.argv[1]), Path(sys.argv[2]))\n"
        "s.path('a.txt').write_text('half'); print('ready', flush=True)\n"
        "time.sleep(60)"
    )
    out, work = tmp_path / "out", tmp_path / "work"
    process = subprocess.Popen([sys.executable, "-c", program, out, work], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    assert list(out.iterdir()) == []
    assert len(list(work.iterdir())) == 1
    with Staging(out, work):
        assert len(list(work.iterdir())) == 1
    assert list(work.iterdir()) == []


@pytest.fixture
def other_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on another file system than ``tmp_path``."""
    elsewhere = Path("/dev/shm")
    if not elsewhere.is_dir() or elsewhere.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("only one file system here")
    with tempfile.TemporaryDirectory(dir=elsewhere) as folder:
        yield Path(folder)


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, OSError(errno.ENOSPC, "No space left on device")])
def test_a_copy_that_is_interrupted_leaves_nothing(
    tmp_path: Path, other_disk: Path, monkeypatch: pytest.MonkeyPatch, error: type[BaseException]
) -> None:
    (other_disk / "a.txt").write_text("older")
    copy, copied = shutil.copyfileobj, []

    def interrupted(source: BinaryIO, target: BinaryIO) -> None:
        copy(source, target)
        copied.append(target)
        if len(copied) == 2:
            raise error

    monkeypatch.setattr(shutil, "copyfileobj", interrupted)
    with Staging(other_disk, tmp_path / "work") as staging:
        staging.path("a.txt").write_text("newer")
        staging.path("b.txt").write_text("newer")
        with pytest.raises(EncodeError if isinstance(error, OSError) else error):
            staging.commit()
    assert [(path.name, path.read_text()) for path in other_disk.iterdir()] == [("a.txt", "older")]


@pytest.mark.skipif(not hasattr(os, "O_TMPFILE"), reason="files without a name are Linux")
def test_a_copy_that_is_not_whole_has_no_name(
    tmp_path: Path, other_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    copy = shutil.copyfileobj

    def watched(source: BinaryIO, target: BinaryIO) -> None:
        seen.append(list(other_disk.iterdir()))
        copy(source, target)

    monkeypatch.setattr(shutil, "copyfileobj", watched)
    with Staging(other_disk, tmp_path / "work") as staging:
        staging.path("a.txt").write_text("whole")
        staging.commit()
    assert seen == [[]]
    assert [(path.name, path.read_text()) for path in other_disk.iterdir()] == [("a.txt", "whole")]


def test_where_files_need_a_name_the_copy_is_hidden(
    tmp_path: Path, other_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "O_TMPFILE", 0, raising=False)
    monkeypatch.setattr(tempfile, "_O_TMPFILE_WORKS", False, raising=False)
    test_a_copy_that_is_interrupted_leaves_nothing(tmp_path, other_disk, monkeypatch, KeyboardInterrupt)
    assert not [path.name for path in other_disk.iterdir() if path.name.startswith(".metta-")]


def test_nothing_of_anyone_else_is_swept(tmp_path: Path) -> None:
    out, work = tmp_path / "out", tmp_path / "work"
    kept = [
        out / ".movie.mkv.part",
        out / ".a.99999999.part",
        out / "metta-notes",
        work / "99999999-x",
        work / "thesis",
    ]
    elsewhere = work / "metta-another.machine-99999999-abc"
    for path in (*kept, elsewhere):
        path.mkdir(parents=True)
        os.utime(path, (0, 0) if path is not elsewhere else None)
    with Staging(out, work):
        pass
    assert all(path.exists() for path in (*kept, elsewhere))
    os.utime(elsewhere, (0, 0))
    with Staging(out, work):
        pass
    assert not elsewhere.exists()


def test_a_folder_or_device_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "a.txt").mkdir()
    (tmp_path / "b.txt").symlink_to(os.devnull)
    with Staging(tmp_path, tmp_path / "work") as staging:
        with pytest.raises(EncodeError, match="is a folder"):
            staging.path("a.txt")
        with pytest.raises(EncodeError, match="no ordinary file"):
            staging.path("b.txt")
        assert staging.commit() == []
