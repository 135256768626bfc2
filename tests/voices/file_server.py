"""A file server on this machine that can be as good, and as bad, as those out there.

``with FileServer({"/a": b"…"}) as server:`` serves until the end of the block. ``server.moods`` says how the next
requests are answered, one each; those after them are answered well. ``server.asked`` has the headers of each request,
``server.sent`` the bytes of its answer's body.
"""

from __future__ import annotations

import hashlib
import threading
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any


class FileServer:
    """Serves ``files`` by path. ``etag``: "strong", "weak" or "" for none; ``dated``: whether it tells a date."""

    def __init__(self, files: dict[str, bytes], etag: str = "strong", *, dated: bool = False) -> None:
        self.files = files
        self.etag = etag
        self.dated = dated
        self.moods: deque[str] = deque()
        self.asked: list[dict[str, str]] = []
        self.sent: list[int] = []
        self.closing = threading.Event()
        self.going = threading.Event()  # what is slow waits for it half way
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.owner = self
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})

    def url(self, path: str = "/a") -> str:
        return f"http://127.0.0.1:{self._server.server_port}{path}"

    def __enter__(self) -> FileServer:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.closing.set()
        self.going.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    owner: FileServer
    daemon_threads = True
    block_on_close = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is none."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def log_message(self, *args: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        owner = self.server.owner
        owner.asked.append({key.lower(): value for key, value in self.headers.items()})
        owner.sent.append(0)
        mood, _, value = (owner.moods.popleft() if owner.moods else "good").partition(" ")
        content = owner.files.get(self.path)
        if mood.isdigit() or content is None:
            self._answer(int(mood) if mood.isdigit() else 404, b"no", "text/plain")
        elif mood == "html":
            self._answer(200, b"<html>sign in</html>", "text/html; charset=utf-8")
        elif mood == "redirect":
            self.send_response(302)
            self.send_header("Location", value)
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif mood == "hang":
            owner.closing.wait(5)
        elif mood == "drip-headers":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
            while not owner.closing.wait(0.02):
                self.wfile.write(b"a")
                self.wfile.flush()
        elif mood == "endless":
            self.send_response(200)
            self.end_headers()
            self._write(content + b"and more")
        elif mood == "wrong":
            self._file(bytes(byte ^ 1 for byte in content), "", len(content))
        else:
            self._file(content, mood, int(value or len(content)))

    def _answer(self, status: int, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self._write(body)

    def _file(self, content: bytes, mood: str, most: int) -> None:
        """Send the part that is asked for, or the whole; at most ``most`` bytes of it."""
        owner = self.server.owner
        digest = hashlib.sha256(content).hexdigest()[:16]
        mark = {"strong": f'"{digest}"', "weak": f'W/"{digest}"', "": ""}[owner.etag]
        date = "Sun, 22 Nov 2026 10:00:00 GMT"
        wanted = self.headers.get("Range")
        condition = self.headers.get("If-Range")
        start = 0
        if wanted and mood != "norange" and condition in (None, mark, date if owner.dated else mark):
            start = int(wanted.removeprefix("bytes=").partition("-")[0])
            if start >= len(content):
                self._answer(416, b"", "text/plain")
                return
            start = 0 if mood == "shifted" else start
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        else:
            self.send_response(200)
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Content-Length", str(len(content) - start))
        if mark:
            self.send_header("ETag", mark)
        if owner.dated:
            self.send_header("Last-Modified", date)
        self.end_headers()
        body = content[start:][:most]
        if mood == "slow":
            self._write(body[: len(body) // 2])
            owner.going.wait(20)
            body = body[len(body) // 2 :]
        while mood == "drip" and body and not owner.closing.wait(0.02):
            self._write(body[:100])
            body = body[100:]
        self._write(body)

    def _write(self, body: bytes) -> None:
        self.wfile.write(body)
        self.wfile.flush()
        self.server.owner.sent[-1] += len(body)
