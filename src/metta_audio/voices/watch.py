"""An end for connections on which too little comes: a server that sends a letter now and then never times out."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from typing import Any


class Watch:
    """Ends a connection after ``seconds``, even one on which something trickles in all the time.

    ``trace`` is the request's extension of that name, on a connection that is made for it; ``late`` tells whether it
    was ended.
    """

    def __init__(self, seconds: float) -> None:
        self.late = False
        self._lock = threading.Lock()
        self._sockets: list[socket.socket] = []
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True

    def __enter__(self) -> Watch:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        with self._lock:
            for each in self._sockets:
                each.close()
            self._sockets.clear()

    def trace(self, event: str, info: dict[str, Any]) -> None:
        """Take hold of a connection as soon as there is one; ours, as the original changes hands in TLS."""
        if event.endswith("connect_tcp.complete"):
            taken = info["return_value"].get_extra_info("socket")
            with self._lock:
                self._sockets.append(taken.dup())

    def _end(self) -> None:
        with self._lock:
            self.late = True
            for each in self._sockets:
                with suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)
