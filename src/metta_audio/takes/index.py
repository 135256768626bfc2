"""Which take is of which line: what stands in a set, and how it is written down without telling what is said."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace

from metta_audio.units import Hertz, Samples, Seconds

SCHEMA = "metta_audio.takes/2"

_PLAIN = "metta_audio.takes/1"
"""The schema before: its lines go by their own digests, and come under a secret when the index is next written."""

_DIGEST = re.compile(r"[0-9a-f]{64}")


class WrongSecretError(ValueError):
    """The names in an index were made with another secret."""


@dataclass(frozen=True, slots=True)
class Take:
    """One recording of one line.

    ``digest`` is the sha256 of its file. ``spoken`` is how long somebody speaks in it, in seconds, and ``words`` how
    long its text is (``lines.expected_words``). ``script``, ``options`` and ``number`` say where it was read: how the
    practice was asked for, and the line's number there. A ``doubtful`` one was matched without certainty.
    """

    digest: str
    rate: Hertz
    frames: Samples
    spoken: Seconds
    words: float
    script: str
    number: int
    doubtful: bool = False
    options: tuple[str, ...] = ()

    @property
    def file(self) -> str:
        """Name of its file: half of its digest is enough to tell it from all others."""
        return f"{self.digest[:32]}.flac"

    @property
    def seconds(self) -> Seconds:
        """Its length."""
        return Seconds(self.frames / self.rate)


@dataclass(frozen=True, slots=True)
class Entry:
    """All takes of one line: the ``current`` one, None where it was dropped, and the ``older`` ones, newest last."""

    current: Take | None = None
    older: tuple[Take, ...] = ()

    def with_take(self, take: Take) -> Entry:
        """With another current one; what it replaces stays, once."""
        if self.current is not None and self.current.digest == take.digest:
            return replace(self, current=take)
        kept = tuple(each for each in self.dropped().older if each.digest != take.digest)
        return Entry(take, kept)

    def dropped(self) -> Entry:
        """Without a current one."""
        return Entry(None, self.older + ((self.current,) if self.current else ()))

    def undone(self) -> Entry:
        """The newest of the older ones again; the current one goes to their end, so that nothing is lost."""
        if not self.older:
            return self
        return Entry(self.older[-1], ((self.current,) if self.current else ()) + self.older[:-1])

    def accepted(self) -> Entry:
        """With a current one that is not doubtful."""
        return self if self.current is None else replace(self, current=replace(self.current, doubtful=False))


@dataclass(frozen=True, slots=True)
class Index:
    """What stands in a set: the ``entries`` of its lines, and the ``languages`` it was read in (BCP 47).

    Entries go by the names that ``secret`` gives to the lines' keys, so that nobody who has the index alone can find
    out by trying whether a line, and somebody's name in it, is there. Without a secret they go by the keys themselves.
    """

    entries: Mapping[str, Entry] = field(default_factory=dict)
    languages: tuple[str, ...] = ()
    secret: bytes = field(default=b"", repr=False)

    def entry(self, key: str) -> Entry:
        """All takes of the line with that key."""
        return self.entries.get(_name(key, self.secret), Entry())

    def current(self, key: str) -> Take | None:
        """The take of the line with that key."""
        return self.entry(key).current

    def with_entry(self, key: str, entry: Entry) -> Index:
        """With another entry for the line with that key."""
        return replace(self, entries={**self.entries, _name(key, self.secret): entry})

    def under(self, secret: bytes) -> Index:
        """With names made with ``secret``, where it has none yet."""
        if self.secret:
            return self
        return replace(self, entries={_name(key, secret): each for key, each in self.entries.items()}, secret=secret)

    @property
    def takes(self) -> tuple[Take, ...]:
        """Every current take."""
        return tuple(entry.current for entry in self.entries.values() if entry.current is not None)

    @property
    def fingerprint(self) -> str:
        """Hash of all that the set would speak."""
        spoken = sorted((name, entry.current.digest) for name, entry in self.entries.items() if entry.current)
        return hashlib.sha256(json.dumps(spoken).encode()).hexdigest()


def to_json(index: Index) -> dict[str, object]:
    """``index`` as it is written down; the secret is not."""
    lines = {
        name: {
            "current": None if entry.current is None else asdict(entry.current),
            "older": [asdict(take) for take in entry.older],
        }
        for name, entry in index.entries.items()
    }
    return {"schema": SCHEMA, "seal": _seal(index.secret), "languages": list(index.languages), "lines": lines}


def from_json(record: Mapping[str, object], secret: bytes) -> Index:
    """Read an index again, one of schema 1 as well, which has no secret yet.

    Raises WrongSecretError where ``secret`` is not the one that it was written with, ValueError, KeyError, TypeError or
    AttributeError for what is no index.
    """
    if record["schema"] not in (SCHEMA, _PLAIN):
        raise ValueError("another schema")
    plain = record["schema"] == _PLAIN
    if not plain and record["seal"] != _seal(secret):
        raise WrongSecretError("another secret")
    lines, languages = record["lines"], record["languages"]
    if not isinstance(lines, dict) or not isinstance(languages, list):
        raise TypeError("no lines")
    entries = {
        str(name): Entry(
            None if entry["current"] is None else _read_take(entry["current"]),
            tuple(_read_take(take) for take in entry["older"]),
        )
        for name, entry in lines.items()
    }
    return Index(entries, tuple(map(str, languages)), b"" if plain else secret)


def _name(key: str, secret: bytes) -> str:
    """HMAC-SHA256 (RFC 2104) of a line's key, in hex; without a secret the key itself."""
    return hmac.digest(secret, key.encode(), "sha256").hex() if secret else key


def _seal(secret: bytes) -> str:
    """Tells one secret from another, and nothing more about it."""
    return hmac.digest(secret, b"seal", "sha256").hex()


def _read_take(record: Mapping[str, object]) -> Take:
    options = record.get("options", ())
    if not isinstance(options, list | tuple):
        raise TypeError("no options")
    take = Take(**{**record, "options": tuple(map(str, options))})  # type: ignore[arg-type]
    # Its name becomes a path: nothing else may.
    if not _DIGEST.fullmatch(take.digest) or take.rate <= 0:
        raise ValueError("no digest")
    return take
