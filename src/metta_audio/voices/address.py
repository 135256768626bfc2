"""Web addresses: which are of this machine itself, and which a file may be fetched from."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from metta_audio.errors import SettingsError


def is_loopback(host: str) -> bool:
    """Whether ``host`` is this machine by its very name: nothing is looked up."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def check_url(url: str, *, checked: bool) -> None:
    """Raise SettingsError for an address that nothing should be fetched from; ``checked``: a checksum is known."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        _ = parts.port  # raises for one that is none
    except ValueError as error:
        raise SettingsError("this is no address", hint="write https://…") from error
    if parts.scheme not in ("https", "http") or not host:
        raise SettingsError("this is no web address", hint="write https://…")
    if parts.username or parts.password:
        raise SettingsError("a password does not belong into an address", hint="leave out what stands before the @")
    if parts.scheme == "http" and not checked and not is_loopback(host):
        raise SettingsError("anybody on the way could change this file", hint="use https, or give its digest")
