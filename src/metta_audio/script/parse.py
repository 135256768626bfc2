"""Bytes to ``Script``: decode, split off the front matter, check it. The body stays a template."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from markdown_it import MarkdownIt
from mdit_py_plugins.front_matter import front_matter_plugin

from metta_audio.errors import Place, ScriptError, ShelfError
from metta_audio.script.header import read_header
from metta_audio.script.marks import RESERVED
from metta_audio.script.model import Script

SIZE_LIMIT = 1_000_000
"""Bytes. Three hours of speech are about 27,000 words, 160 kB: six times that is no script any more."""

_FRONT_MATTER_LIMIT = 65_536
"""Characters. A hundred parameters with help take 10,000; past this the closing ``---`` is simply missing."""


def read_script(path: Path, *, shown_as: str | None = None) -> Script:
    """Read and parse the script file at ``path``; its name is the file's stem.

    ``shown_as`` replaces the path in error messages. Raises ``ShelfError`` if it cannot be read, else ``ScriptError``.
    """
    file = shown_as if shown_as is not None else str(path)
    try:
        if path.is_dir():
            raise ShelfError(f"{file} is a folder, not a script", hint="name the .md file inside it")
        if path.exists() and not path.is_file():
            raise ShelfError(f"{file} is no ordinary file")
        with path.open("rb") as stream:
            data = stream.read(SIZE_LIMIT + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ShelfError(f"cannot read {file}: {reason}") from error
    return parse_script(data, name=path.stem, file=file)


def parse_script(data: bytes, *, name: str, file: str) -> Script:
    """Parse the bytes of a script. ``file`` is what errors call it. Raises ``ScriptError``."""
    text = _decode(data, file)
    lines = text.split("\n")
    first = next((index for index, line in enumerate(lines) if line.strip()), None)
    if first is None:
        raise ScriptError("the script is empty", place=Place(file, 1), hint="start with --- and a title: line")
    close = _front_matter_end("\n".join(lines[first:])[:_FRONT_MATTER_LIMIT])
    if close is None:
        raise _no_front_matter(lines[first], Place(file, first + 1))
    body_start = first + close
    body = "\n".join(lines[body_start:])
    header = read_header("\n".join(lines[first + 1 : body_start - 1]), name=name, file=file, first_line=first + 2)
    if not body.strip():
        raise ScriptError(
            "nothing follows the front matter", place=Place(file, body_start), hint="write what is spoken"
        )
    digest = hashlib.sha256(data).hexdigest()
    return Script(name=name, file=file, header=header, body=body, body_line=body_start + 1, sha256=digest)


def _no_front_matter(line: str, place: Place) -> ScriptError:
    if line.startswith("---"):
        return ScriptError(
            "the front matter is never closed", place=place, hint="end it with a line of three dashes: ---"
        )
    return ScriptError(
        "the front matter is missing",
        place=place,
        hint="start the file with ---, then title: and what else is needed, then ---",
    )


def _front_matter_end(text: str) -> int | None:
    """Count the lines the front matter takes, both fences included; None where there is none."""
    reader = MarkdownIt("zero").use(front_matter_plugin)
    reader.core.ruler.enableOnly(["block"])
    if not text.startswith("---"):
        return None
    tokens = reader.parse(text)
    if tokens and tokens[0].type == "front_matter" and tokens[0].map:
        return tokens[0].map[1]
    return None


def _decode(data: bytes, file: str) -> str:
    """UTF-8 with or without a byte order mark, any line ends, to text with plain newlines."""
    if len(data) > SIZE_LIMIT:
        raise ScriptError(
            f"the script is larger than {SIZE_LIMIT // 1_000_000} MB",
            place=Place(file, 1),
            hint="is this the right file?",
        )
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise ScriptError("the script is UTF-16", place=Place(file, 1), hint="save it as UTF-8")
    if b"\0" in data:
        line, column = _line_and_column(data, data.index(b"\0"))
        raise ScriptError(
            "this is no text: it holds a zero byte", place=Place(file, line, column), hint="save it as UTF-8 text"
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # error.object has lost the byte order mark; count from the whole.
        offset = error.start + (3 if data.startswith(b"\xef\xbb\xbf") else 0)
        line, column = _line_and_column(data, offset)
        raise ScriptError(
            f"byte {offset} (0x{data[offset]:02x}) is not UTF-8",
            place=Place(file, line, column),
            hint="save the file as UTF-8",
        ) from None
    text = re.sub(r"\r\n?", "\n", text)
    if bad := RESERVED.search(text):
        line, column = text.count("\n", 0, bad.start()) + 1, bad.start() - text.rfind("\n", 0, bad.start())
        raise ScriptError(
            f"U+{ord(bad.group()):04X} is no character of any writing",
            place=Place(file, line, column),
            hint="remove it",
        )
    return text


def _line_and_column(data: bytes, offset: int) -> tuple[int, int]:
    """1-based line and column of the byte at ``offset``, whatever the line ends."""
    before = re.sub(rb"\r\n?", b"\n", data[:offset].removeprefix(b"\xef\xbb\xbf"))
    start = before.rfind(b"\n") + 1
    return before.count(b"\n") + 1, len(before[start:].decode("utf-8", errors="replace")) + 1
