"""One request for the rest of a file: how it is asked for, where it may lead, and what counts as an answer."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from metta_audio.errors import VoiceError
from metta_audio.units import Seconds
from metta_audio.voices.address import is_loopback
from metta_audio.voices.catalogue import Download
from metta_audio.voices.part import Part
from metta_audio.voices.watch import Watch

if TYPE_CHECKING:
    import httpx

_LONGEST_WAIT = 30 * 86_400
"""Seconds: a month; what asks for more is told as that."""

_CONNECT, _READ = Seconds(10.0), Seconds(20.0)
"""Until a server answers at all, and until its next bytes: longer silences than that are no hesitation."""

_LOOK, _CRAWL = Seconds(30.0), 30_000
"""How often the pace is looked at, and the bytes that must have come since: at less, a small voice would take a day."""

_HOPS = 5
"""Redirects followed: file hosts use one or two."""

_TROUBLE = (408, 425, 429)
"""Answers, besides all from 500 on, that mean "not now"."""

Progress = Callable[[int, int], None]
"""Told the bytes that are here, and how many there are in all."""


class Cut(Exception):  # noqa: N818 - what happened, not what is wrong
    """The transfer stopped for a reason that may pass; the text says which. ``wait``: what the server asks for."""

    def __init__(self, reason: str, wait: float = 0.0) -> None:
        super().__init__(reason)
        self.wait = Seconds(wait)


def client_for(url: str) -> httpx.Client:
    """What asks; through the environment's proxy, where there is one. Raises VoiceError for one that cannot be."""
    import httpx

    timeout = httpx.Timeout(_READ, connect=_CONNECT)
    headers = {"User-Agent": "metta-audio", "Accept-Encoding": "identity"}
    # A proxy is for the way out; on this machine there is no way out.
    outward = not is_loopback(httpx.URL(url).host)
    # A connection for each request: a watch sees only those that are made under it.
    limits = httpx.Limits(max_keepalive_connections=0)
    try:
        return httpx.Client(timeout=timeout, headers=headers, trust_env=outward, limits=limits)
    except (ValueError, ImportError, OSError, httpx.InvalidURL) as error:
        what = f"the proxy or the certificates that the environment names cannot be used: {error}"
        raise VoiceError(what, hint="look at HTTPS_PROXY, ALL_PROXY and SSL_CERT_FILE") from error


def receive(client: httpx.Client, part: Part, progress: Progress) -> None:
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
        looked, before = time.monotonic(), done
        with part.path.open("ab") as file:
            for block in response.iter_raw():
                file.write(block[: download.bytes - done])
                done += len(block)
                if done > download.bytes:
                    break
                progress(done, download.bytes)
                if time.monotonic() - looked >= _LOOK:
                    if done - before < _CRAWL and done < download.bytes:
                        raise Cut("it comes too slowly")
                    looked, before = time.monotonic(), done
    if done > download.bytes:
        part.discard()
        raise _another(download)
    if done < download.bytes:
        raise Cut("the connection ended too early")


def _judge(response: httpx.Response, part: Part) -> None:
    """Leave ``part`` as the beginning of what ``response`` goes on with. Raises Cut, and VoiceError for refusals."""
    download, status = part.download, response.status_code
    if status >= 500 or status in _TROUBLE:
        raise Cut(f"the server is in trouble ({status})", _wait(response))
    if status == 416:  # it has not so many bytes
        part.discard()
        raise Cut("the server's file is another one by now")
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
        raise Cut("the server's file is another one by now")
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
        with closing(_begun(client, here, headers)) as response:
            if not response.has_redirect_location:
                yield response
                return
            there = here.join(response.headers["location"])
        inside = there.scheme == "http" and is_loopback(there.host) and is_loopback(here.host)
        if there.scheme != "https" and not inside:
            raise VoiceError(f"{here.host} leads to an address that is not https", hint="fetch the file by hand")
        here = there
    raise VoiceError(f"{httpx.URL(url).host} leads in circles", hint="try again later")


def _begun(client: httpx.Client, url: httpx.URL, headers: dict[str, str]) -> httpx.Response:
    """The head of an answer. Raises Cut where it trickles in."""
    import httpx

    with Watch(_LOOK) as watch:
        try:
            request = client.build_request("GET", url, headers=headers, extensions={"trace": watch.trace})
            return client.send(request, stream=True)
        except httpx.HTTPError:
            if watch.late:
                raise Cut("the server does not answer") from None
            raise
