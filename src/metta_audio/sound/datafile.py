"""Reads the small TOML files that describe bells, beds and voices to fetch; every fault is an error with its place."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from typing import Any

from metta_audio.errors import Place, SoundError, did_you_mean

_MOST_TABLES = 32
"""Layers of a bed or partials of a bell: more than any sound needs, few enough to stay quick."""

_WORD = re.compile(r"[a-z][a-z0-9-]*")

_SHOWN = 40
"""Characters of a faulty value in a message: enough to know it again."""

_AT_LINE = re.compile(r" ?\(at line (\d+), column (\d+)\)")


class Table:
    """One table of a data file. Gives out its values checked, and knows at the end which nobody asked for."""

    def __init__(self, values: dict[str, Any], text: str, file: str, begin: int = 0) -> None:
        self._values = values
        self._text = text
        self._file = file
        self._begin = begin
        self._asked: set[str] = set()

    def number(self, key: str, low: float, high: float, default: float | None = None) -> float:
        """A number from ``low`` to ``high``; without a ``default`` it must be there."""
        value = self._value(key, default, "a number")
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.fault(key, f'"{key}" must be a number, not {_written(value)}')
        if not low <= value <= high:  # also refuses nan
            hint = f"it must lie between {_plain(low)} and {_plain(high)}"
            raise self.fault(key, f'"{key}" is {_written(value)}', hint)
        return float(value)

    def words(self, key: str, default: str | None = None) -> str:
        """A string; without a ``default`` it must be there."""
        value = self._value(key, default, "a text")
        if not isinstance(value, str):
            raise self.fault(key, f'"{key}" must be a text in quotes, not {_written(value)}')
        return value

    def is_words(self, key: str) -> bool:
        """Whether ``key`` is there and holds a string, where a number would do as well."""
        return isinstance(self._values.get(key), str)

    def has(self, key: str) -> bool:
        """Whether ``key`` is there."""
        return key in self._values

    def flag(self, key: str, default: bool = False) -> bool:
        """True or false."""
        value = self._value(key, default, "true or false")
        if not isinstance(value, bool):
            raise self.fault(key, f'"{key}" must be true or false, not {_written(value)}')
        return value

    def integer(self, key: str, low: int, high: int, default: int | None = None) -> int:
        """A whole number from ``low`` to ``high``; without a ``default`` it must be there."""
        value = self._value(key, default, "a whole number")
        if isinstance(value, bool) or not isinstance(value, int):
            raise self.fault(key, f'"{key}" must be a whole number, not {_written(value)}')
        return int(self.number(key, low, high, default))

    def word_list(self, key: str) -> tuple[str, ...]:
        """A list of single words in small letters; empty where the key is missing."""
        value = self._value(key, [], "a list of words")
        if not isinstance(value, list) or not all(isinstance(each, str) and _WORD.fullmatch(each) for each in value):
            raise self.fault(key, f'"{key}" must be a list of words', f'write {key} = ["nature", "water"]')
        return tuple(value)

    def choice(self, key: str, choices: Iterable[str], default: str | None = None) -> str:
        """One of ``choices``; without a ``default`` it must be there."""
        known = sorted(choices)
        word = self.words(key, default)
        if word not in known:
            raise self.fault(key, f'"{key}" cannot be {_written(word)}', did_you_mean(word, known))
        return word

    def tables(self, key: str, *, optional: bool = False) -> list[Table]:
        """The tables in the list ``key``: at least one, unless ``optional``."""
        if optional and not self.has(key):
            self._asked.add(key)
            return []
        value = self._value(key, None, "a list of tables")
        if not isinstance(value, list) or not value or not all(isinstance(each, dict) for each in value):
            raise self.fault(key, f'"{key}" must be a list of tables with at least one in it')
        if len(value) > _MOST_TABLES:
            raise self.fault(key, f'"{key}" has {len(value)} entries', f"at most {_MOST_TABLES} are allowed")
        headers = list(re.compile(rf"^[ \t]*\[\[[ \t]*{key}[ \t]*\]\]", re.MULTILINE).finditer(self._text))
        braces = re.compile(r"\{").finditer(self._text, self._find(key))
        begins = [match.start() for match in headers or braces]
        begins += [self._begin] * (len(value) - len(begins))
        pairs = zip(value, begins, strict=False)
        return [Table(values, self._text, self._file, begin) for values, begin in pairs]

    def finish(self) -> None:
        """Refuse keys that nobody asked for: most are misspelt."""
        for key in self._values:
            if key not in self._asked:
                raise self.fault(key, f'unknown key "{key}"', did_you_mean(key, self._asked))

    def _value(self, key: str, default: Any, kind: str) -> Any:
        self._asked.add(key)
        value = self._values.get(key, default)
        if value is None:
            raise SoundError(f'"{key}" is missing', place=self._place(self._begin), hint=f"write {key} = …, {kind}")
        return value

    def _find(self, key: str) -> int:
        found = re.compile(rf"\b{re.escape(key)}\b[ \t\"']*=|\[\[?[ \t]*{re.escape(key)}\b").search(
            self._text, self._begin
        )
        return found.start() if found else self._begin

    def fault(self, key: str, what: str, hint: str = "") -> SoundError:
        """An error at ``key``, for its caller to raise."""
        return SoundError(what, place=self._place(self._find(key)), hint=hint)

    def _place(self, position: int) -> Place:
        before = self._text[:position]
        return Place(self._file, before.count("\n") + 1, position - (before.rfind("\n") + 1) + 1)


def _written(value: Any) -> str:
    """A value from a data file as its author wrote it, in so many words that a message stays one line."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | dict):
        return "a list" if isinstance(value, list) else "a table"
    if isinstance(value, int) and value.bit_length() > 64:  # Python itself refuses to write the largest
        return "a number with very many digits"
    if isinstance(value, str):
        return f'"{value}"' if len(value) <= _SHOWN else f'"{value[:_SHOWN]}…"'
    return str(value)


def _plain(bound: float) -> str:
    """A bound without an exponent."""
    return str(int(bound)) if bound == int(bound) else f"{bound:g}"


def read_table(text: str, file: str) -> Table:
    """The whole of a data file. Raises SoundError with the place where it is not TOML."""
    try:
        return Table(tomllib.loads(text), text, file)
    except (ValueError, RecursionError) as error:  # besides TOML's own: a number or a nesting without end
        message = str(error)
        found = _AT_LINE.search(message)
        line, column = (int(found[1]), int(found[2])) if found else (1, 1)
        what = f"this is not valid TOML: {_AT_LINE.sub('', message)}"
        raise SoundError(what, place=Place(file, line, column), hint="see https://toml.io") from error
