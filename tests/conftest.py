"""Fixtures that every test folder shares."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable

import pytest
from hypothesis import settings

# Shared, noisy machines: a deadline would fail tests for the neighbour's load.
settings.register_profile("metta", deadline=None, derandomize=True)
settings.load_profile("metta")


@pytest.fixture(scope="session")
def require_program() -> Callable[[str], str]:
    """Path of a system program; skips where it is absent, fails instead when METTA_REQUIRE_ALL=1."""

    def require(name: str) -> str:
        path = shutil.which(name)
        if path is None:
            reason = f"{name} is not installed"
            if os.environ.get("METTA_REQUIRE_ALL") == "1":
                pytest.fail(reason)
            pytest.skip(reason)
        return path

    return require
