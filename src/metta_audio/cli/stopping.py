"""Ctrl-C and a polite kill: obeyed at once, or, while a recording is made, between two steps of the work.

Between two steps, because an exception that strikes inside a callback of the speech engine or of libsndfile is lost,
and half a clip would be kept; and because files that are moving into place belong together. Who asks twice does not
wait.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

_ASKING = ("SIGINT", "SIGTERM", "SIGHUP")
"""Ctrl-C, a polite kill, a closed terminal. Windows has no SIGHUP."""


class Stopped(SystemExit):
    """The user asked to stop. The code is 128 and the signal's number, as a shell gives it."""


class _Listener:
    def __init__(self) -> None:
        self._working = False
        self._asked: int | None = None

    def listen(self) -> None:
        self._working, self._asked = False, None
        for name in _ASKING:
            if hasattr(signal, name):
                signal.signal(getattr(signal, name), self._hear)

    def _hear(self, number: int, _frame: FrameType | None) -> None:
        if not self._working or self._asked is not None:
            raise Stopped(128 + number)
        self._asked = number

    def step(self) -> None:
        if self._asked is not None:
            raise Stopped(128 + self._asked)

    @contextmanager
    def work(self) -> Iterator[Callable[[], None]]:
        self._working = True
        try:
            yield self.step
        finally:
            self._working = False


_listener = _Listener()

listen = _listener.listen
"""From now on, signals that ask to stop raise ``Stopped``."""

in_steps = _listener.work
"""Within this context they wait until the function that it gives is called. Work that is done stays done."""
