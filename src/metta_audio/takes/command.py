"""How ``metta takes`` is called, as hints and pages name it: whole commands, to be run as they stand."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

DEFAULT_NAME = "mine"
"""What a set of takes is called by who has but one."""

RECORDING = "recording.wav"
"""What a recording is called whose name is not known."""


def takes_command(
    verb: str, practice: str, *arguments: object, options: Sequence[str] = (), name: str = DEFAULT_NAME
) -> str:
    """One command line: ``options`` say which lines of ``practice`` are meant, ``name`` whose takes.

    >>> takes_command("undo", "body-scan", 12, options=["--minutes", "20"], name="ana")
    'metta takes undo body-scan 12 --minutes 20 --as ana'
    """
    whose = [] if name == DEFAULT_NAME else ["--as", name]
    return shlex.join(["metta", "takes", verb, practice, *map(str, arguments), *options, *whose])
