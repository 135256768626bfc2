"""Where a speech server is, what it is asked for, and what may be sent there."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from metta_audio.errors import VoiceError, at, did_you_mean
from metta_audio.speech.voice import Setup
from metta_audio.units import Seconds
from metta_audio.voices.address import is_loopback

NAME = "http"
"""The engine's, and that of its table in the settings."""

URL, KEY = "METTA_HTTP_URL", "METTA_HTTP_KEY"
"""Names in the environment; they come before the settings file."""

_PATIENCE = Seconds(120.0)
"""For one line, all tries included. A sentence takes seconds; a server that first loads its model may take a minute."""

_MOST_PATIENCE = Seconds(3600.0)
"""An hour for a line is a mistake in the unit."""

_MODEL = "tts-1"
"""The name that such servers take for their usual model, whatever it is."""

_VOICE = "alloy"
"""The first name in the documentation of that interface: servers of other voices map it to one of theirs."""

_ADDRESS = "http://127.0.0.1:8880/v1"
"""An example: this machine, and a port that is usual for such servers."""

_EXAMPLE = f'write into settings.toml: [http] and under it url = "{_ADDRESS}"'
_PATH = "/v1/audio/speech"
_KINDS = {
    "url": f'url = "{_ADDRESS}"',
    "key": 'key = "…"',
    "model": f'model = "{_MODEL}"',
    "voices": f'voices = ["{_VOICE}"]',
    "timeout": f"timeout = {_PATIENCE:g}",
    "languages": 'languages = ["en"]',
}
"""Keys of the table [http], and how each is written."""


@dataclass(frozen=True, slots=True)
class Server:
    """A server's address and what it is asked for. ``key`` shows in no text of this object.

    ``endpoint`` is the whole address of a request, ``host`` the part of it that may be named to a user. ``voices`` is
    never empty; ``listed`` tells whether the user named them. ``languages`` are BCP 47 in lower case, empty where that
    depends. ``timeout`` is for one line, all tries included.
    """

    endpoint: str
    host: str
    local: bool
    key: str = field(default="", repr=False)
    model: str = _MODEL
    voices: tuple[str, ...] = (_VOICE,)
    listed: bool = False
    languages: tuple[str, ...] = ()
    timeout: Seconds = _PATIENCE


def read_server(setup: Setup, environment: Mapping[str, str]) -> Server:
    """The server that the environment and the settings' table [http] name. Asks no network.

    A key belongs to its address: that of the settings goes nowhere else. Raises VoiceError where there is no address or
    a wrong one, for a wrong or unknown setting, for ``private`` work and another machine, and for a key that others
    could read on its way.
    """
    table = setup.tables.get(NAME, {})
    _check(setup)
    ours, theirs = environment.get(URL, "").strip(), str(table.get("url", "")).strip()
    if not ours and not theirs:
        raise VoiceError("no speech server is set up", hint=_EXAMPLE)
    with _blamed(setup, "url", URL if ours else ""):
        scheme, host, port, path = _parts(ours or theirs)
        local = is_loopback(host)
        if setup.private and not local:
            what = f"this work is private, and {host} is another machine: its text stays here"
            raise VoiceError(what, hint="use a server on this machine (http://127.0.0.1:…), or the voice espeak")
    key = environment.get(KEY, "").strip()
    with _blamed(setup, "key", KEY if key else ""):
        if not key and (not ours or _same(theirs, scheme, host, port)):
            key = str(table.get("key", "")).strip()
        _allow(host, scheme, key, local=local)
    named = f"[{host}]" if ":" in host else host
    listed = _names(table, "voices")
    return Server(
        endpoint=f"{scheme}://{named}:{port}{path}{_PATH}",
        host=f"{named}:{port}",
        local=local,
        key=key,
        model=str(table.get("model", "")).strip() or _MODEL,
        voices=listed or (_VOICE,),
        listed=bool(listed),
        languages=tuple(name.lower() for name in _names(table, "languages")),
        timeout=Seconds(float(str(table.get("timeout", _PATIENCE)))),
    )


@contextmanager
def _blamed(setup: Setup, name: str, variable: str) -> Iterator[None]:
    """Tell of every error that leaves the block who wrote it: ``variable`` of the environment, else the settings."""
    with at(None if variable else setup.place(NAME, name)):
        try:
            yield
        except VoiceError as error:
            if not variable:
                raise
            hint = f"write for example {URL}={_ADDRESS}" if error.hint == _EXAMPLE else error.hint
            raise VoiceError(f"{variable} in the environment: {error.what}", hint=hint) from error


def _same(url: str, scheme: str, host: str, port: int) -> bool:
    """Whether the address of the settings is that place; one that is none is nobody's place."""
    try:
        return bool(url) and _parts(url)[:3] == (scheme, host, port)
    except VoiceError:
        return False


def _allow(host: str, scheme: str, key: str, *, local: bool) -> None:
    if key and not re.fullmatch(r"[!-~]+", key):
        raise VoiceError("the key of the speech server holds blanks or signs that no key has", hint="copy it again")
    if key and scheme == "http" and not local:
        what = f"the key would travel to {host} for everyone to read"
        raise VoiceError(what, hint='write the address with "https:", or leave the key out')


def _check(setup: Setup) -> None:
    for name, value in setup.tables.get(NAME, {}).items():
        with at(setup.place(NAME, name)):
            _check_value(name, value)


def _check_value(name: str, value: object) -> None:
    if name not in _KINDS:
        raise VoiceError(f'[http] in the settings has no "{name}"', hint=did_you_mean(name, _KINDS))
    fits, kind = isinstance(value, str), "a text"
    if name in {"voices", "languages"}:
        fits = isinstance(value, list) and all(isinstance(each, str) and each.strip() for each in value)
        kind = "a list of texts"
    elif name == "timeout":
        fits = isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= _MOST_PATIENCE
        kind = f"a number of seconds, at most {_MOST_PATIENCE:g}"
    if not fits:
        # Without the value: it may be a key.
        raise VoiceError(f'"{name}" of [http] in the settings must be {kind}', hint=f"write {_KINDS[name]}")


def _names(table: Mapping[str, object], name: str) -> tuple[str, ...]:
    found = table.get(name)
    return tuple(str(each).strip() for each in found) if isinstance(found, list) else ()


def _parts(url: str) -> tuple[str, str, int, str]:
    """Scheme, host, port and the path before ``/v1``, each free of everything that two readers could read differently.

    Raises VoiceError, without the address where that may hold a password.
    """
    if not re.fullmatch(r"[!-~]+", url) or "\\" in url:
        raise VoiceError("the address of the speech server holds blanks or signs that no address has", hint=_EXAMPLE)
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise VoiceError("the address of the speech server is not one", hint=_EXAMPLE) from None
    if "@" in parts.netloc:
        what = "the address of the speech server holds a name or a password"
        raise VoiceError(what, hint='leave out what stands before the "@"; a key belongs into key = "…" of [http]')
    host = (parts.hostname or "").rstrip(".")
    if parts.scheme not in {"http", "https"} or not _is_host(host):
        what = "the address of the speech server does not begin with http:// or https:// and a machine"
        raise VoiceError(what, hint=_EXAMPLE)
    if parts.query or parts.fragment:
        raise VoiceError('the address of the speech server holds a "?" or a "#"', hint=_EXAMPLE)
    path = parts.path.rstrip("/")
    for ending in (_PATH, "/v1"):
        path = path.removesuffix(ending)
    return parts.scheme, host, port or (443 if parts.scheme == "https" else 80), path


def _is_host(host: str) -> bool:
    if re.fullmatch(r"[a-z0-9]([a-z0-9._-]*[a-z0-9])?", host):
        return True
    try:
        return ipaddress.ip_address(host).version == 6 and "%" not in host
    except ValueError:
        return False
