"""A quick way through a lexicon file of plain rows, as the shipped one is: read and found right in one go.

A session waits for its lexicon each time, and TOML's reader takes longer for it than all else does together.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

from metta_audio.script.ipa import IPA
from metta_audio.script.model import Pronunciation
from metta_audio.script.pronunciation import END, LONGEST, MOST_WORDS, phrase_of

_TEXT = r'"([^"\\\x00-\x1f\x7f]+)"'
"""A text that says what stands in it: without escapes, and without what TOML forbids."""

_SAY = r'"(?!off")([A-Za-z]+(?:[ \'-][A-Za-z]+)*)"'
"""A respelling of plain letters."""

_END = r"(?:#[^\x00-\x08\x0a-\x1f\x7f]*)?\n"
"""A comment, or nothing, and the end of the row."""

_HEAD = re.compile(rf'(?:{_END})*(?:language = "([a-z]{{2,3}})"\n(?:{_END})*)?\[words\]\n')

_ROW = re.compile(
    rf"^((?:(?:([A-Za-z0-9_-]+)|{_TEXT}) = "
    rf'(?:\{{ipa = "({IPA})"(?:, say = {_SAY})?(, at = "end")?\}}|{_SAY}|false))?{_END})',
    re.MULTILINE,
)
"""The whole row, its key, bare or in quotes, and its value in one of the usual forms."""


def rows(text: str) -> tuple[str, Mapping[str, Pronunciation]] | None:
    r"""Language and entries of a lexicon file; None for one that is written otherwise, or not plainly right.

    >>> rows('language = "en"\n\n[words]\nmetta = {ipa = "ˈmɛtɑː"}\n')
    ('en', {'metta': Pronunciation(ipa='ˈmɛtɑː', say='')})
    >>> rows('words.metta = "mettah"')
    """
    head = _HEAD.match(text)
    if head is None or not unicodedata.is_normalized("NFC", text):
        return None
    found = _ROW.findall(text, head.end())
    # A row of another kind is missing among those found.
    if "".join(row[0] for row in found) != text[head.end() :]:
        return None
    entries: dict[str, Pronunciation] = {}
    keys: list[str] = []
    for row, bare, quoted, ipa, say, at, only_say in found:
        if key := bare or quoted:
            phrase = phrase_of(key)
            if not phrase or phrase.count(" ") >= MOST_WORDS or len(row) > LONGEST:
                return None
            entries[phrase + END if at else phrase] = Pronunciation(ipa, say or only_say)
            keys.append(key)
    # Of two for one phrase, one is missing; and TOML has no key twice, also where one is for the end of a sentence.
    return (head[1] or "", entries) if len(entries) == len(set(keys)) == len(keys) else None
