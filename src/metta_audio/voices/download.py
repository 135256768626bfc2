"""Fetching one file of a voice: it goes on where it stopped, and appears only once it is whole and checked.

Nothing in this package calls it but the call a user makes to get a voice.
"""

from __future__ import annotations

import errno
import math
import shutil
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING

from metta_audio.errors import SettingsError, VoiceError
from metta_audio.units import Seconds
from metta_audio.voices.catalogue import Download, Fetchable, check_url, is_loopback
from metta_audio.voices.part import Part, alone, is_right

if TYPE_CHECKING:
    import httpx

TRIES = 4
"""Requests for one file in one run: a cut line is taken up again, a server in trouble is not pressed."""

PAUSE = Seconds(1.0)
"""Before the second request; twice as long before each further one."""

_PATIENCE = Seconds(30.0)
"""Waited where a server asks for it; a longer wait is left to the user, who is told how long."""

_LONGEST_WAIT = 30 * 86_400
"""Seconds: a month; what asks for more is told as that."""

_CONNECT, _READ = Seconds(10.0), Seconds(20.0)
"""Until a server answers at all, and until its next bytes: longer silences than that are no hesitation."""

_HOPS = 5
"""Redirects followed: file hosts use one or two."""

_AGAIN = "run it again: it goes on where it stopped"

_TROUBLE = (408, 425, 429)
"""Answers, besides all from 500 on, that mean "not now"."""

_LOST = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

Progress = Callable[[int, int], None]
"""Told the bytes that are here, and how many there are in all."""


class _Cut(Exception):  # noqa: N818 - what happened, not what is wrong
    """The transfer stopped for a reason that may pass; the text says which. ``wait``: what the server asks for."""

    def __init__(self, reason: str, wait: float = 0.0) -> None:
        super().__init__(reason)
        self.wait = Seconds(wait)


def file_size(size: int) -> str:
    """``size`` in bytes for people: in MB, and in kB where it is less than one.

    >>> file_size(114_200_000), file_size(4_817), file_size(1)
    ('114 MB', '5 kB', '1 kB')
    """
    if size < 999_500:
        return f"{math.ceil(size / 1000) if size < 1000 else round(size / 1000)} kB"
    return f"{round(size / 1e6):,} MB"


def fetch_voice(voice: Fetchable, folder: Path, progress: Progress = lambda _done, _total: None) -> tuple[Path, ...]:
    """Fetch what of ``voice`` is not in ``folder`` yet; the paths of all its files.

    The voice is there when all of them are. Raises VoiceError; what came whole, or in part, stays for the next time.
    """
    done = 0
    paths = []
    for download in voice.downloads:
        before, target = done, folder / download.file
        fetch(download, target, lambda here, _, before=before: progress(before + here, voice.bytes))  # type: ignore[misc]
        done += download.bytes
        progress(done, voice.bytes)
        paths.append(target)
    return tuple(paths)


def fetch(download: Download, target: Path, progress: Progress = lambda _done, _total: None) -> None:
    """Fetch ``download`` into the file ``target``, unless it is there already as it should be.

    What arrives is kept in ``target`` + ".part" until size and checksum are right; then it gets its name, in one step.
    Where only a part is there, the rest is asked for, if the server still has the same file. Raises VoiceError.
    """
    try:
        check_url(download.url, checked=bool(download.digest))
    except SettingsError as error:
        raise VoiceError(f"{download.file} cannot be fetched: {error.what}", hint=error.hint) from error
    try:
        if is_right(target, download):
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        with alone(target):
            part = Part(target, download)
            if part.size < download.bytes:
                _must_fit(download, target.parent, part.size)
                _fill(part, progress)
            part.finish()
    except OSError as error:
        raise _cannot_write(target, error) from error


def _fill(part: Part, progress: Progress) -> None:
    """Receive until all bytes are here, in a few requests at most. Raises VoiceError."""
    import httpx

    with _client(part.download.url) as client:
        wait = Seconds(0.0)
        for number in range(TRIES):
            if number:
                time.sleep(max(wait, PAUSE * 2 ** (number - 1)))
            wait = Seconds(0.0)
            try:
                _receive(client, part, progress)
            except httpx.TimeoutException:
                reason = "the server does not answer"
            except httpx.ConnectError as error:
                # Nobody there, or no network: that does not change within seconds.
                raise _unconnected(part.download, error) from error
            except _Cut as cut:
                reason, wait = str(cut), cut.wait
                if wait > _PATIENCE:
                    hint = f"the server asks to wait {_span(wait)}; then {_AGAIN}"
                    raise _unreached(part.download, reason, hint) from cut
            except httpx.ProxyError:
                reason = "the proxy does not let it through"
            except (httpx.NetworkError, httpx.RemoteProtocolError):
                reason = "the connection broke off"
            except (httpx.HTTPError, httpx.InvalidURL):
                reason = "the server's answer makes no sense"
            else:
                return
    raise _unreached(part.download, reason)


def _client(url: str) -> httpx.Client:
    """What asks; through the environment's proxy, where there is one. Raises VoiceError for one that cannot be."""
    import httpx

    timeout = httpx.Timeout(_READ, connect=_CONNECT)
    headers = {"User-Agent": "metta-audio", "Accept-Encoding": "identity"}
    # A proxy is for the way out; on this machine there is no way out.
    outward = not is_loopback(httpx.URL(url).host)
    try:
        return httpx.Client(timeout=timeout, headers=headers, trust_env=outward)
    except (ValueError, ImportError, OSError, httpx.InvalidURL) as error:
        what = f"the proxy or the certificates that the environment names cannot be used: {error}"
        raise VoiceError(what, hint="look at HTTPS_PROXY, ALL_PROXY and SSL_CERT_FILE") from error


def _unreached(download: Download, reason: str, hint: str = _AGAIN) -> VoiceError:
    return VoiceError(f"{download.file} could not be fetched: {reason}", hint=hint)


def _unconnected(download: Download, error: BaseException) -> VoiceError:
    """What kept the line from being there at all, in plain words; the system's own are deep inside ``error``."""
    import httpx

    host = httpx.URL(download.url).host
    cause: BaseException | None = error
    while cause and not isinstance(cause, (socket.gaierror, ssl.SSLError, ConnectionRefusedError)):
        cause = cause.__cause__ or cause.__context__
    if isinstance(cause, ssl.SSLError):
        hint = "look whether the clock is right, and whether your network needs a certificate of its own: SSL_CERT_FILE"
        return _unreached(download, f"no trusted connection to {host} can be made", hint)
    reason = f"{host} cannot be reached"
    if isinstance(cause, socket.gaierror):
        reason = f"no machine called {host} is found"
    elif isinstance(cause, ConnectionRefusedError):
        reason = f"the connection to {host} is refused"
    hint = f"look whether the network is there, and whether it wants a proxy (HTTPS_PROXY); then {_AGAIN}"
    return _unreached(download, reason, hint)


def _receive(client: httpx.Client, part: Part, progress: Progress) -> None:
    """Ask once for what is missing, and keep what comes."""
    download = part.download
    headers = {}
    if part.size:
        headers["Range"] = f"bytes={part.size}-"
        if part.validator:
            headers["If-Range"] = part.validator
    with _answered(client, download.url, headers) as response:
        _judge(response, part)
        done = part.size
        progress(done, download.bytes)
        with part.path.open("ab") as file:
            for block in response.iter_raw():
                file.write(block[: download.bytes - done])
                done += len(block)
                if done > download.bytes:
                    break
                progress(done, download.bytes)
    if done > download.bytes:
        part.discard()
        raise _another(download)
    if done < download.bytes:
        raise _Cut("the connection ended too early")


def _judge(response: httpx.Response, part: Part) -> None:
    """Leave ``part`` as the beginning of what ``response`` goes on with. Raises _Cut, and VoiceError for refusals."""
    download, status = part.download, response.status_code
    if status >= 500 or status in _TROUBLE:
        raise _Cut(f"the server is in trouble ({status})", _wait(response))
    if status == 416:  # it has not so many bytes
        part.discard()
        raise _Cut("the server's file is another one by now")
    if status not in (200, 206):
        raise VoiceError(f"{download.file} cannot be fetched: the server answers {status}", hint=_refused(status))
    if response.headers.get("content-type", "").partition(";")[0].strip().lower() == "text/html":
        hint = "open the address in a browser: a network may ask you to sign in first"
        raise VoiceError(f"instead of {download.file} a web page came", hint=hint)
    if status == 206:
        start, total = _content_range(response)
        if start == part.size and total in (None, download.bytes):
            return
        part.discard()
        raise _Cut("the server's file is another one by now")
    length = response.headers.get("content-length", "")
    if length.isdigit() and int(length) != download.bytes:
        raise _another(download)
    etag = response.headers.get("etag", "")
    # A weak mark does not stand for the same bytes.
    part.begin(etag if etag.startswith('"') else response.headers.get("last-modified", ""))


def _wait(response: httpx.Response) -> Seconds:
    """How long the server asks to wait, in seconds or until a time of its own clock; 0 where it does not (RFC 9110)."""
    asked = response.headers.get("retry-after", "").strip()
    if asked.isascii() and asked.isdigit():
        return Seconds(float(min(int(asked[:9]), _LONGEST_WAIT)))
    try:
        then, now = (parsedate_to_datetime(text) for text in (asked, response.headers.get("date", "")))
        return Seconds(min(max(0.0, (then - now).total_seconds()), _LONGEST_WAIT))
    except (ValueError, TypeError):
        return Seconds(0.0)


def _span(wait: Seconds) -> str:
    """``wait`` in the largest unit of which there are two at least, rounded up: "2 hours".

    >>> _span(Seconds(7200))
    '2 hours'
    """
    for unit, seconds in (("days", 86_400), ("hours", 3600), ("minutes", 60)):
        if wait >= 2 * seconds:
            return f"{math.ceil(wait / seconds)} {unit}"
    return f"{math.ceil(wait)} seconds"


def _content_range(response: httpx.Response) -> tuple[int, int | None]:
    """First byte and length of the whole, from a header such as ``bytes 5-9/10``; -1 where it makes no sense."""
    span, _, total = response.headers.get("content-range", "").removeprefix("bytes ").partition("/")
    start = span.partition("-")[0].strip()
    return int(start) if start.isdigit() else -1, int(total) if total.isdigit() else None


def _refused(status: int) -> str:
    if status in (401, 403):
        return "it wants to know who asks: fetch the file by hand, or name another address in voices.toml"
    if status in (404, 410):
        return "it is not there any more: look for a newer version of metta, or name another address in voices.toml"
    return "try again later, or name another address in voices.toml"


def _another(download: Download) -> VoiceError:
    what = f"the server's {download.file} has not {download.bytes:,} bytes: it is another file than this version knows"
    return VoiceError(what, hint="look for a newer version of metta, or name another address in voices.toml")


@contextmanager
def _answered(client: httpx.Client, url: str, headers: dict[str, str]) -> Iterator[httpx.Response]:
    """The answer for ``url``, or for where it leads: never from an encrypted connection to an open one."""
    import httpx

    here = httpx.URL(url)
    for _ in range(_HOPS + 1):
        with client.stream("GET", here, headers=headers) as response:
            if not response.has_redirect_location:
                yield response
                return
            there = here.join(response.headers["location"])
        inside = there.scheme == "http" and is_loopback(there.host) and is_loopback(here.host)
        if there.scheme != "https" and not inside:
            raise VoiceError(f"{here.host} leads to an address that is not https", hint="fetch the file by hand")
        here = there
    raise VoiceError(f"{httpx.URL(url).host} leads in circles", hint="try again later")


def _must_fit(download: Download, folder: Path, here: int) -> None:
    free, needed = shutil.disk_usage(folder).free, download.bytes - here
    if free < needed:
        what = f"{download.file} needs {file_size(needed)} more, and {folder} has {file_size(free)} left"
        raise VoiceError(what, hint="make room on the disk")


def _cannot_write(target: Path, error: OSError) -> VoiceError:
    full = error.errno in _LOST
    hint = f"make room on the disk; {_AGAIN}" if full else "change the folder's permissions, or what stands in its way"
    return VoiceError(f"cannot write {target}: {error.strerror or error}", hint=hint)
