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
from dataclasses import dataclass
from pathlib import Path

from metta_audio.errors import SettingsError, VoiceError
from metta_audio.units import Seconds, file_size
from metta_audio.voices.address import check_url
from metta_audio.voices.catalogue import Download, Fetchable
from metta_audio.voices.part import Part, alone, is_right
from metta_audio.voices.transfer import Cut, Progress, client_for, receive

TRIES = 4
"""Requests for one file in one run: a cut line is taken up again, a server in trouble is not pressed."""

PAUSE = Seconds(1.0)
"""Before the second request; twice as long before each further one."""

_PATIENCE = Seconds(30.0)
"""Waited where a server asks for it; a longer wait is left to the user, who is told how long."""

_AGAIN = "run it again: it goes on where it stopped"

_LOST = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@dataclass(frozen=True, slots=True)
class Arrived:
    """The files of a voice, all here: those ``fetched`` just now, and of them those that stood here ``damaged``."""

    files: tuple[Path, ...]
    fetched: tuple[Path, ...] = ()
    damaged: tuple[Path, ...] = ()


def fetch_voice(voice: Fetchable, folder: Path, progress: Progress = lambda _done, _total: None) -> Arrived:
    """Fetch what of ``voice`` is not in ``folder`` yet, or not as it should be.

    The voice is there when all its files are. Raises VoiceError; what came whole, or in part, stays for the next time.
    """
    done = 0
    files, fetched, damaged = [], [], []
    for download in voice.downloads:
        before, target = done, folder / download.file
        stood = target.is_file()
        if fetch(download, target, lambda here, _, before=before: progress(before + here, voice.bytes)):  # type: ignore[misc]
            fetched.append(target)
            damaged += [target] * stood
        done += download.bytes
        progress(done, voice.bytes)
        files.append(target)
    return Arrived(tuple(files), tuple(fetched), tuple(damaged))


def fetch(download: Download, target: Path, progress: Progress = lambda _done, _total: None) -> bool:
    """Fetch ``download`` into the file ``target``, unless it is there already as it should be; whether it was fetched.

    What arrives is kept in ``target`` + ".part" until size and checksum are right; then it gets its name, in one step.
    Where only a part is there, the rest is asked for, if the server still has the same file. Raises VoiceError.
    """
    try:
        check_url(download.url, checked=bool(download.digest))
    except SettingsError as error:
        raise VoiceError(f"{download.file} cannot be fetched: {error.what}", hint=error.hint) from error
    try:
        if is_right(target, download):
            return False
        target.parent.mkdir(parents=True, exist_ok=True)
        with alone(target):
            part = Part(target, download)
            if part.size < download.bytes:
                _must_fit(download, target.parent, part.size)
                _fill(part, progress)
            part.finish()
    except OSError as error:
        raise _cannot_write(target, error) from error
    return True


def _fill(part: Part, progress: Progress) -> None:
    """Receive until all bytes are here, in a few requests at most. Raises VoiceError."""
    import httpx

    with client_for(part.download.url) as client:
        wait = Seconds(0.0)
        for number in range(TRIES):
            if number:
                time.sleep(max(wait, PAUSE * 2 ** (number - 1)))
            wait = Seconds(0.0)
            try:
                receive(client, part, progress)
            except httpx.TimeoutException:
                reason = "the server does not answer"
            except httpx.ConnectError as error:
                # Nobody there, or no network: that does not change within seconds.
                raise _unconnected(part.download, error) from error
            except Cut as cut:
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


def _span(wait: Seconds) -> str:
    """``wait`` in the largest unit of which there are two at least, rounded up: "2 hours".

    >>> _span(Seconds(7200))
    '2 hours'
    """
    for unit, seconds in (("days", 86_400), ("hours", 3600), ("minutes", 60)):
        if wait >= 2 * seconds:
            return f"{math.ceil(wait / seconds)} {unit}"
    return f"{math.ceil(wait)} seconds"


def _must_fit(download: Download, folder: Path, here: int) -> None:
    free, needed = shutil.disk_usage(folder).free, download.bytes - here
    if free < needed:
        what = f"{download.file} needs {file_size(needed)} more, and {folder} has {file_size(free)} left"
        raise VoiceError(what, hint="make room on the disk")


def _cannot_write(target: Path, error: OSError) -> VoiceError:
    full = error.errno in _LOST
    hint = f"make room on the disk; {_AGAIN}" if full else "change the folder's permissions, or what stands in its way"
    return VoiceError(f"cannot write {target}: {error.strerror or error}", hint=hint)
