"""The secret that clips are named with."""

from __future__ import annotations

import multiprocessing
import os

from metta_audio.speech.secret import machine_secret


def test_the_secret_is_made_once_is_this_machines_own_and_nobody_elses_to_read(tmp_path):
    file = tmp_path / "deep" / "secret"
    secret = machine_secret(file)
    assert machine_secret(file) == secret == file.read_bytes()
    assert len(secret) == 32
    assert machine_secret(tmp_path / "other") != secret
    if os.name == "posix":
        assert file.stat().st_mode & 0o077 == 0


def test_a_secret_that_was_cut_is_made_anew(tmp_path):
    file = tmp_path / "secret"
    file.write_bytes(b"short")
    assert len(machine_secret(file)) == 32
    assert machine_secret(file) == file.read_bytes()


def test_processes_that_make_the_secret_at_once_agree(tmp_path):
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        assert len(set(pool.map(machine_secret, [tmp_path / "secret"] * 12))) == 1
    assert [each.name for each in tmp_path.iterdir()] == ["secret"]
