"""A speech server on this machine that behaves as its mode says: what the engine ``http`` is tested with.

::

    with speech_server(mode="good") as url:
        ...  # url ends in /v1; url.requests holds what was asked, as dictionaries
"""

from __future__ import annotations

import contextlib
import functools
import io
import json
import struct
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import soundfile

from metta_audio.speech.voice import Setup, Utterance
from metta_audio.voices.espeak import EspeakEngine

OWN_RATE = 150
"""Words a minute that the server's voice speaks at speed 1."""

SLOWEST, FASTEST = 82, 230
"""Words a minute beyond which its voice does not go, whatever is asked."""

FORMATS = {
    "flac": ("FLAC", "PCM_16", "audio/flac"),
    "mp3": ("MP3", "MPEG_LAYER_III", "audio/mpeg"),
    "ogg": ("OGG", "VORBIS", "audio/ogg"),
    "opus": ("OGG", "OPUS", "audio/ogg"),
}


class Url(str):
    """The server's address, and the requests that came: ``path``, ``headers`` and what was in the JSON."""

    requests: list[dict]


@contextlib.contextmanager
def speech_server(mode: str = "good", *, key: str = "", slow: float = 0.0, target: str = "") -> Iterator[Url]:
    """Serve on a free port of 127.0.0.1 until the context ends, whatever is still being answered.

    ``mode``: ``good`` (WAV, heeding speed), ``deaf`` (its own rate), ``flac``, ``mp3``, ``ogg``, ``opus``, ``stream``
    (WAV that tells no length), ``500``, ``429``, ``500-then-good``, ``429-then-good``, ``cut-then-good``, ``cut`` (in
    the middle), ``cut-wav`` (no length told, and the WAV not whole), ``html``, ``json-error``, ``echo`` (an error that
    repeats all it was told), ``wrong-format``, ``empty``, ``huge``, ``drip``, ``drip-headers``, ``never``, ``silence``,
    ``redirect`` (to ``target``). ``key``: what callers must show. ``slow``: seconds before each answer.
    """
    server = _Server(mode, key, slow, target)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    url = Url(f"http://127.0.0.1:{server.server_address[1]}/v1")
    url.requests = server.requests
    try:
        yield url
    finally:
        server.ended.set()
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, mode: str, key: str, slow: float, target: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.mode, self.key, self.slow, self.target = mode, key, slow, target
        self.requests: list[dict] = []
        self.ended = threading.Event()

    def handle_error(self, *_: object) -> None:
        """Callers hang up on the slow ones: no traceback."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        self.answer(405, b"only POST")

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.requests.append({"path": self.path, "headers": dict(self.headers), **asked})
        self.server.ended.wait(self.server.slow)
        if self.server.key and self.headers.get("Authorization") != f"Bearer {self.server.key}":
            said = f"Incorrect API key provided: {self.headers.get('Authorization', '')}"
            self.answer(401, json.dumps({"error": {"message": said}}).encode(), "application/json")
        elif self.path != "/v1/audio/speech":
            self.answer(404, b'{"detail": "Not Found"}', "application/json")
        else:
            first, _, then = self.server.mode.partition("-then-")
            mode = then if then and len(self.server.requests) > 1 else first
            getattr(self, "mode_" + mode.replace("-", "_"), self.mode_status)(asked, mode)

    def answer(
        self, status: int, body: bytes, kind: str = "text/plain", *, length: int | None = None, **more: str
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        if length != -1:
            self.send_header("Content-Length", str(len(body) if length is None else length))
        for name, value in more.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def mode_status(self, asked: dict, mode: str) -> None:
        if mode in FORMATS:
            container, subtype, kind = FORMATS[mode]
            self.answer(200, _sound(asked["input"], asked["speed"], container, subtype), kind)
        elif mode == "429":
            self.answer(429, b"too many", Retry_After="0" if "then" in self.server.mode else "7200")
        else:
            self.answer(int(mode), b"Internal Server Error")

    def mode_good(self, asked: dict, mode: str) -> None:
        self.answer(200, _sound(asked["input"], asked["speed"]), "audio/wav")

    def mode_deaf(self, asked: dict, mode: str) -> None:
        self.answer(200, _sound(asked["input"], 1.0), "audio/wav")

    def mode_stream(self, asked: dict, mode: str) -> None:
        content = bytearray(_sound(asked["input"], asked["speed"]))
        content[4:8] = b"\xff\xff\xff\xff"
        struct.pack_into("<I", content, content.index(b"data") + 4, 0xFFFFFFFF)
        self.answer(200, bytes(content), "audio/wav", length=-1)

    def mode_cut(self, asked: dict, mode: str) -> None:
        content = _sound(asked["input"], asked["speed"])
        self.answer(200, content[: len(content) // 2], "audio/wav", length=len(content))

    def mode_cut_wav(self, asked: dict, mode: str) -> None:
        content = _sound(asked["input"], asked["speed"])
        self.answer(200, content[: len(content) // 2], "audio/wav", length=-1)

    def mode_html(self, asked: dict, mode: str) -> None:
        page = "<html><head><style>p { color: red }</style></head><body><h1>Welcome to the router</h1></body></html>"
        self.answer(200, page.encode(), "text/html; charset=utf-8")

    def mode_json_error(self, asked: dict, mode: str) -> None:
        self.answer(400, b'{"error": {"message": "model xyz is not loaded", "code": 17}}', "application/json")

    def mode_echo(self, asked: dict, mode: str) -> None:
        said = f"cannot speak {asked['input']!r} for {self.headers.get('Authorization')}: {asked['input'].upper()}"
        self.answer(422, json.dumps({"detail": [{"msg": said}]}).encode(), "application/json")

    def mode_wrong_format(self, asked: dict, mode: str) -> None:
        self.answer(200, b"\x89PNG\r\n\x1a\n" + bytes(500), "audio/wav")

    def mode_empty(self, asked: dict, mode: str) -> None:
        self.answer(200, b"", "audio/wav")

    def mode_silence(self, asked: dict, mode: str) -> None:
        self.answer(200, _file(np.zeros(22050, np.float32), 22050), "audio/wav")

    def mode_huge(self, asked: dict, mode: str) -> None:
        self.answer(200, b"RIFF", "audio/wav", length=-1)
        while not self.server.ended.is_set():
            self.wfile.write(bytes(1 << 20))

    def mode_never(self, asked: dict, mode: str) -> None:
        self.server.ended.wait()

    def mode_drip(self, asked: dict, mode: str) -> None:
        self.answer(200, b"RIFF", "audio/wav", length=-1)
        self.drip()

    def mode_drip_headers(self, asked: dict, mode: str) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        self.drip()

    def mode_redirect(self, asked: dict, mode: str) -> None:
        self.answer(307, b"", Location=f"{self.server.target}/audio/speech")

    def drip(self) -> None:
        while not self.server.ended.is_set():
            self.wfile.write(b"a")
            self.wfile.flush()
            time.sleep(0.02)


@functools.lru_cache(maxsize=64)
def _sound(text: str, speed: float, container: str = "WAV", subtype: str = "PCM_16") -> bytes:
    rate = min(max(OWN_RATE * speed, SLOWEST), FASTEST)
    wave = EspeakEngine(Setup()).open("", "en-us").speak(Utterance(text), rate).wave
    samples, hertz = wave.samples[:, 0], wave.rate
    # Opus has no rate of 22,050 Hz.
    return (
        _file(np.repeat(samples, 2), 48_000, container, subtype)
        if subtype == "OPUS"
        else _file(samples, hertz, container, subtype)
    )


def _file(samples: np.ndarray, rate: int, container: str = "WAV", subtype: str = "PCM_16") -> bytes:
    content = io.BytesIO()
    soundfile.write(content, samples, rate, subtype, format=container)
    return content.getvalue()
