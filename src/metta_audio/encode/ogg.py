"""Ogg streams carry a random serial number; ours do not, so that the same input gives the same bytes."""

from __future__ import annotations

from pathlib import Path

SERIAL = 1
"""Any number serves in a file that holds one stream (RFC 3533, section 4)."""


def fix_serial(path: Path) -> None:
    """Give every page of the one stream in ``path`` the serial number ``SERIAL``, checksums included."""
    from mutagen.ogg import OggPage

    rewritten = path.with_name(path.name + ".pages")
    size = path.stat().st_size
    with path.open("rb") as source, rewritten.open("wb") as target:
        while source.tell() < size:
            page = OggPage(source)
            page.serial = SERIAL
            target.write(page.write())
    rewritten.replace(path)
