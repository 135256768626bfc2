"""Which addresses are of this machine."""

from __future__ import annotations

import pytest

from metta_audio.voices.address import is_loopback


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST", "127.0.0.1", "127.8.9.1", "::1"])
def test_this_machine_is_known_by_name(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host", ["127.0.0.1.example.org", "localhost.example.org", "10.0.0.1", "0x7f.1", "", "128.0.0.1"]
)
def test_other_machines_are_not(host: str) -> None:
    assert not is_loopback(host)
