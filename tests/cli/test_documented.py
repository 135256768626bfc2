"""Everything that can be typed stands in the README or in docs/."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from metta_audio.cli import metta

ROOTS = (Path(__file__).parents[2], Path.cwd())


@pytest.fixture(scope="module")
def pages() -> str:
    root = next((root for root in ROOTS if (root / "README.md").is_file() and (root / "docs").is_dir()), None)
    if root is None:
        pytest.skip("README.md and docs/ are not beside the tests")
    return "\n".join(
        path.read_text(encoding="utf-8") for path in (root / "README.md", *sorted((root / "docs").glob("*.md")))
    )


def commands(command: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None
            yield from commands(found, f"{path} {name}")


TREE = list(commands(metta, "metta"))


@pytest.mark.parametrize("path", [path for path, _ in TREE])
def test_every_command_is_documented(pages: str, path: str) -> None:
    assert re.search(rf"{path}\b", pages)


OPTIONS = sorted(
    {
        option
        for _, command in TREE
        for param in command.params
        for option in param.opts
        if isinstance(param, click.Option)
    }
)


@pytest.mark.parametrize("option", [*OPTIONS, "--help"])
def test_every_option_is_documented(pages: str, option: str) -> None:
    assert re.search(rf"(?<![\w-]){option}(?![\w-])", pages)


@pytest.mark.parametrize("path", [path for path, _ in TREE])
def test_every_command_and_option_explains_itself(path: str) -> None:
    command = dict(TREE)[path]
    assert command.help
    assert all(param.help for param in command.params if isinstance(param, click.Option))


@pytest.mark.parametrize("name", ["METTA_DEBUG", "METTA_CACHE", "METTA_SCRIPTS", "METTA_VOICE", "METTA_SETTINGS"])
def test_every_variable_is_documented(pages: str, name: str) -> None:
    assert name in pages


@pytest.mark.parametrize("code", [0, 1, 2, 129, 130, 143])
def test_every_exit_code_is_documented(pages: str, code: int) -> None:
    assert re.search(rf"^\| (\d+, )*{code}(, \d+)* \|", pages, re.MULTILINE)
