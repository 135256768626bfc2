"""One request to a speech server that may be slow, busy, broken or no speech server at all."""

from __future__ import annotations

import json
import re
import threading
import time
from dataclasses import dataclass
from typing import Any

from metta_audio.errors import VoiceError
from metta_audio.speech.voice import Speech
from metta_audio.units import Seconds, file_size
from metta_audio.voices.http.server import KEY, Server
from metta_audio.voices.outside import MOST_BYTES, NotSound, heard, told
from metta_audio.voices.watch import Watch

_CONNECT = Seconds(10.0)
"""To be let in: a machine that has not answered by then is off, or behind a wall."""

PAUSES = (Seconds(0.5), Seconds(2.0))
"""Before the second and the third try, unless the server says how long: it may be starting again. Three tries, as what
failed three times in a row has a reason that waiting does not mend."""

_MESSAGE_BYTES = 65_536
"""Of an answer that is an error: its reason stands at the beginning."""

_BUSY = 429
_AGAIN = frozenset({408, _BUSY, *range(500, 600)})
"""Statuses that another try may mend: too slow, too busy, broken."""


class _NotYet(Exception):  # noqa: N818 - it says what to do
    """One try failed; another may not. ``error`` is for the last one, ``after`` the rest that the server asks for."""

    def __init__(self, error: VoiceError, after: Seconds | None = None) -> None:
        super().__init__(error.what)
        self.error = error
        self.after = after


@dataclass(frozen=True, slots=True)
class _Answer:
    """What a server sent: status, content type, what it asks of those who come again, and the body."""

    status: int
    kind: str
    retry_after: str
    content: bytes


class Client:
    """Asks one server for speech. Several threads may use it at once."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._lock = threading.Lock()
        self._client: Any = None

    def speak(self, line: str, voice: str, speed: float, *, hidden: str = "") -> Speech:
        """Give what the server says for ``line``. Raises VoiceError, which tells neither ``hidden`` nor the key."""
        wanted = {"model": self._server.model, "input": line, "voice": voice, "response_format": "wav"}
        end = time.monotonic() + self._server.timeout
        for pause in (*PAUSES, None):
            try:
                return self._try({**wanted, "speed": round(speed, 3)}, end, hidden)
            except _NotYet as failed:
                wait = failed.after if failed.after is not None else pause
                if pause is None or wait is None or time.monotonic() + wait >= end:
                    raise failed.error from None
                time.sleep(wait)
        raise AssertionError  # the last try returns or raises

    def _try(self, wanted: dict[str, Any], end: float, hidden: str) -> Speech:
        answer = self._received(wanted, max(end - time.monotonic(), 0.001))
        if not 200 <= answer.status < 300:
            raise self._refused(answer, hidden)
        if len(answer.content) > MOST_BYTES:
            raise self._fault(f"sent more than {file_size(MOST_BYTES)}", "check model and voices in [http]")
        try:
            return heard(answer.content)
        except NotSound as reason:
            what = f"sent an answer that {reason}{self._quoted(answer.kind, answer.content, hidden)}"
            raise self._fault(what, "check url and model in [http]: it must give WAV, FLAC, MP3 or Ogg") from None

    def _received(self, wanted: dict[str, Any], seconds: float) -> _Answer:
        """What the server sends, up to a byte more than is taken. Its errors repeat the line: none is chained."""
        import httpx  # here: listings do without

        timeout = httpx.Timeout(seconds, connect=min(_CONNECT, seconds))
        with Watch(seconds) as watch:
            try:
                request = {"json": wanted, "timeout": timeout, "extensions": {"trace": watch.trace}}
                with self._opened().stream("POST", self._server.endpoint, **request) as response:
                    most = MOST_BYTES if response.is_success else _MESSAGE_BYTES
                    content = bytearray()
                    for chunk in response.iter_bytes():
                        content += chunk
                        if len(content) > most:
                            break
            except httpx.ConnectTimeout:
                raise self._fault("cannot be reached", "see that its machine is on, and check url in [http]") from None
            except httpx.ConnectError as error:
                raise self._unreached(str(error)) from None
            except (httpx.HTTPError, httpx.StreamError, OSError) as error:
                if watch.late or isinstance(error, httpx.TimeoutException):
                    raise self._late() from None
                raise _NotYet(self._fault("broke off its answer", "see what it says itself, and try again")) from None
        if watch.late:  # an answer that told no length looks whole when we end it
            raise self._late()
        headers = response.headers
        return _Answer(
            response.status_code, headers.get("content-type", ""), headers.get("retry-after", ""), bytes(content)
        )

    def _opened(self) -> Any:
        """The one client of this server: no proxy stands between us and this machine, and nobody is sent elsewhere."""
        import httpx

        with self._lock:
            if self._client is None:
                bearer = {"Authorization": f"Bearer {self._server.key}"} if self._server.key else {}
                self._client = httpx.Client(
                    headers={"Accept-Encoding": "identity", **bearer},
                    follow_redirects=False,
                    trust_env=not self._server.local,
                    # A connection for each line: one that was left open too long cannot cut a line.
                    limits=httpx.Limits(max_keepalive_connections=0),
                )
            return self._client

    def _refused(self, answer: _Answer, hidden: str) -> Exception:
        """The error for an answer that is none, or a request for another try."""
        status, says = answer.status, self._quoted("", answer.content, hidden)
        if status in {401, 403}:
            # Without what it says: servers repeat parts of a key.
            return self._fault(f"does not let us in ({status})", f"check key in [http] of the settings, or {KEY}")
        if 300 <= status < 400:
            what = f"sends its callers elsewhere ({status}), where this text was not meant to go"
            return self._fault(what, "if you trust that place, write its address as url in [http]")
        if status == 404:
            what = f"knows no such address, model or voice (404){says}"
            return self._fault(what, "check url, model and voices in [http] of the settings")
        if status in _AGAIN:
            reason = "is too busy" if status == _BUSY else "failed"
            asked = re.fullmatch(r"\d{1,6}", answer.retry_after.strip(), re.ASCII)
            rest = f", and asks for {asked[0]} s of rest" if asked else ""
            hint = "wait a little and run this again: what is spoken is kept"
            error = self._fault(f"{reason} ({status}){rest}{says}", hint)
            return _NotYet(error, Seconds(float(asked[0])) if asked else None)
        hint = "check model and voices in [http], or choose a rate nearer to the voice's own"
        return self._fault(f"refused this ({status}){says}", hint)

    def _quoted(self, kind: str, content: bytes, hidden: str) -> str:
        """What came, for an error: its type and first words, without what is ``hidden``."""
        text = content[:_MESSAGE_BYTES].decode("utf-8", "replace")
        words = "" if "\0" in text else told(_message(text), line=hidden, key=self._server.key)
        named = told(kind.partition(";")[0], line=hidden, key=self._server.key)
        return "".join([f" ({named})" if named else "", f": {words}" if words else ""])

    def _unreached(self, reason: str) -> VoiceError:
        if "certificate" in reason.lower():
            return self._fault(
                "shows a certificate that nobody vouches for", "check url in [http], or that certificate"
            )
        return self._fault("cannot be reached", "start it, or check url in [http] of the settings")

    def _late(self) -> VoiceError:
        what = f"did not send a whole line within {self._server.timeout:g} s"
        return self._fault(what, "see whether it still works, or set a longer timeout in [http]")

    def _fault(self, what: str, hint: str) -> VoiceError:
        return VoiceError(f"the speech server at {self._server.host} {what}", hint=hint)


def _message(text: str) -> str:
    """The reason inside an error in JSON, as OpenAI and FastAPI write it; else the text itself."""
    try:
        found = json.loads(text)
    except ValueError:
        return text
    for name in ("error", "detail", "message", "msg"):
        while isinstance(found, list) and found:
            found = found[0]
        if isinstance(found, dict):
            found = found.get(name, found)
    return found if isinstance(found, str) else text
