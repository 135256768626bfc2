"""Whether a program's line would have a text run as commands: by a shell, an interpreter, or code put around it."""

from __future__ import annotations

import re
import string
from collections.abc import Sequence
from itertools import pairwise
from pathlib import PurePath

WHOLE = "let {text} be an argument by itself, or the end of an option such as --text={text}, to a program that speaks"

_PREFIX = re.compile(r"[\w/+=:.@-]*")
"""What may stand before a text in its argument, as in --text= or -t: no sign that a shell or a language would heed.
Nothing may stand behind it: code that a text is put into is closed again, an option is not."""

_SHELLS = frozenset({"sh", "ash", "bash", "csh", "dash", "fish", "ksh", "mksh", "rbash", "tcsh", "zsh"})
_AWKS = frozenset({"awk", "gawk", "mawk", "nawk"})
"""These take code as their first operand, without an option."""

_LANGUAGES = _AWKS | {"bun", "deno", "lua", "node", "osascript", "perl", "php", "pypy", "python", "ruby", "rscript"}
_READERS = frozenset({"cmd", "powershell", "pwsh", "ssh"})
"""Programs that join all arguments and run them, whatever stands in quotes."""

_CODE = re.compile(r"-\w*[ceEpr]\w*|--(?:command|eval|init-command|print)=?")
"""Options that say code follows: -c, also among others as in -lce, of shells and Python; -e, -E, -p, -r of the rest."""

_WITH_VALUE = re.compile(r"[-+]\w*[oO]\w*|--rcfile|--init-file")
"""Options of shells behind which stands a word that is not the code: -o pipefail."""


def runs_text(arguments: Sequence[str]) -> bool:
    """Whether a line of ``arguments``, with placeholders in them, would run a text rather than speak it.

    What a program of somebody's own does with a text cannot be known; these are the ways that are seen in the line.
    """
    names = [PurePath(each.replace("\\", "/")).stem.lower().rstrip("0123456789.") for each in arguments]
    first_reader = next((at for at, name in enumerate(names) if name in _READERS), len(names))
    if any(holds(argument, "text") for argument in arguments[first_reader:]):
        return True
    if any(holds(argument, "text") and not _plain(argument) for argument in arguments):
        return True
    spoken_in = not any(holds(argument, "text") or holds(argument, "text_file") for argument in arguments)
    return any(
        _interprets(name, arguments[at + 1 :], is_program=at == 0, reads_it=spoken_in)
        for at, name in enumerate(names)
        if name in _SHELLS | _LANGUAGES
    )


def _plain(argument: str) -> bool:
    """Whether the text is all of ``argument``, or the end of an option."""
    (before, _), *more = pieces(argument)
    return not more and _PREFIX.fullmatch(before) is not None


def _interprets(name: str, rest: Sequence[str], *, is_program: bool, reads_it: bool) -> bool:
    """Whether the shell or language ``name``, with ``rest`` behind it, takes a text for code.

    A word that is not the program itself may be something else, such as a language: there an option must tell.
    ``reads_it``: whether the text comes by standard input.
    """
    code = name in _AWKS and is_program
    for before, argument in pairwise(["", *rest]):
        if argument.startswith(("-", "+")):
            is_code = _CODE.fullmatch(pieces(argument)[0][0]) is not None
            if is_code and holds(argument, "text"):
                return True
            code = code or is_code
        elif not (name in _SHELLS and _WITH_VALUE.fullmatch(before)):
            # The first operand is the code, or else a file of it.
            return holds(argument, "text") if code else is_program and holds(argument, "text_file")
    return is_program and reads_it


def holds(argument: str, placeholder: str) -> bool:
    """Whether ``placeholder`` stands in ``argument``."""
    return any(field == placeholder for _, field in pieces(argument))


def pieces(argument: str) -> list[tuple[str, str]]:
    """Text and the name of the placeholder after it, "" for none; doubled braces stand for themselves.

    Raises ValueError for a brace that stands alone.
    """
    return [
        (literal, f"{field}{':' + spec if spec else ''}{'!' + conversion if conversion else ''}" if field else "")
        for literal, field, spec, conversion in string.Formatter().parse(argument)
    ] or [("", "")]
