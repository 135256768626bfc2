"""What commands print: tables, aligned on a terminal and tab-separated in a pipe; and records for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from typing import Any
from unicodedata import category

import click

JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
"""The option of every command that has something to tell: ``as_json``."""


def one_line(text: str) -> str:
    """``text`` on one line, and without what could steer a terminal: scripts and tags are other people's."""
    return " ".join("".join(letter if category(letter) != "Cc" else " " for letter in text).split())


def print_table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print ``rows`` under ``heads``. In a pipe each is one line, whatever is in it."""
    if not sys.stdout.isatty():
        for row in (heads, *rows):
            click.echo("\t".join(map(one_line, row)))
        return
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*heads, box=SIMPLE_HEAD, pad_edge=False)
    # What comes first is a name, to be typed again.
    table.columns[0].no_wrap = True
    for row in rows:
        # As Text: brackets in a practice are not markup.
        table.add_row(*(Text(cell) for cell in row))
    Console().print(table)


def print_json(record: dict[str, Any]) -> None:
    """Print one JSON object, in UTF-8 wherever we are (RFC 8259); half characters of odd file names are escaped."""
    click.echo(json.dumps(record, indent=2, ensure_ascii=False).encode("utf-8", "backslashreplace"))
