"""How words are said that voices do not know: read from lexicon files, merged, and laid over a line as spans."""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise

from metta_audio.errors import Place, ScriptError, did_you_mean
from metta_audio.script.model import Header, Pronunciation, Span, SpanKind
from metta_audio.script.pronunciation import END, folded, read_entries, spelt, words_of
from metta_audio.speech.lexicon_rows import rows
from metta_audio.speech.voice import Utterance

_LARGEST = 256 * 1024
"""Characters of a lexicon: 5,000 entries, a hundred times what a teacher needs."""

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_AT_LINE = re.compile(r" ?\(at line (\d+), column (\d+)\)")
_WITHIN = re.compile(r"[\s\-\u2010\u2011]+")
"""What may stand between two words of one phrase: spaces and hyphens."""

_ENDS = re.compile(r"[\s\"'”’»)\]]*(?:$|[.!?…;:])")
"""What stands behind the last word of a sentence, or of the part of one before a colon. A comma is none: after "to a
close" it may go on with ", dear friend"."""

_HISSING, _UNVOICED = frozenset("szʃʒ"), frozenset("ptkfθ")
"""Sounds behind which the s of "Ana's" is said ɪz, and s; behind all others it is z."""


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Pronunciations by language and phrase.

    The language is a primary tag such as ``en``, empty where any will do; a phrase is as ``phrase_of`` writes it, with
    ``END`` behind it where it counts at the end of a sentence only.
    """

    entries: Mapping[str, Mapping[str, Pronunciation]] = field(default_factory=dict)
    _lengths: Mapping[str, tuple[int, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        lengths: dict[str, tuple[int, ...]] = {}
        for phrase in (phrase for words in self.entries.values() for phrase in words):
            first, space, rest = phrase.removesuffix(END).casefold().partition(" ")
            length, known = 2 + rest.count(" ") if space else 1, lengths.get(first, ())
            if length not in known:
                lengths[first] = tuple(sorted((*known, length), reverse=True))
        object.__setattr__(self, "_lengths", lengths)

    def lengths(self, first: str) -> tuple[int, ...]:
        """How many words phrases have that begin with the folded word ``first``, its possessive s aside; falling."""
        found = self._lengths.get(first, ())
        if not first.endswith("'s"):
            return found
        return tuple(sorted({*found, *self._lengths.get(first[:-2], ())}, reverse=True))

    def find(self, phrase: str, language: str) -> Pronunciation | None:
        """How ``phrase`` is said in ``language``, a primary tag; an entry for just this language comes first."""
        here = self.entries.get(language, {}).get(phrase)
        return here if here is not None else self.entries.get("", {}).get(phrase)

    @property
    def fingerprint(self) -> str:
        """Hash of all entries."""
        listed = sorted(
            (language, phrase, said.ipa, said.say)
            for language, words in self.entries.items()
            for phrase, said in words.items()
        )
        return hashlib.sha256(json.dumps(listed).encode()).hexdigest()


EMPTY = Lexicon()
"""Every word as the voice says it."""


def merged(*lexicons: Lexicon) -> Lexicon:
    """All of them in one; of two entries for one phrase the later wins, and one for all languages wins in each.

    A later entry in small letters is for the word in capitals, too, and one for any place for the end of a sentence.
    """
    lexicons = tuple(lexicon for lexicon in lexicons if lexicon.entries)
    if len(lexicons) == 1:
        return lexicons[0]
    entries: dict[str, dict[str, Pronunciation]] = {}
    for lexicon in lexicons:
        everywhere = lexicon.entries.get("", {})
        for language, known in entries.items():
            later = {*everywhere, *lexicon.entries.get(language, {})}
            for phrase in [*known]:
                if phrase in everywhere or phrase.removesuffix(END).casefold() in later:
                    del known[phrase]
        for language, words in lexicon.entries.items():
            entries.setdefault(language, {}).update(words)
    return Lexicon(entries)


def script_lexicon(header: Header) -> Lexicon:
    """A script's own entries: for whatever voice reads it."""
    return Lexicon({"": header.lexicon}) if header.lexicon else EMPTY


def read_lexicon(text: str, *, file: str) -> Lexicon:
    r"""Read a lexicon file. Raises ScriptError with the place of the first fault.

    >>> read_lexicon('[words]\nmetta = {ipa = "ˈmɛtɑː", say = "mettah"}', file="lexicon.toml").find("metta", "en")
    Pronunciation(ipa='ˈmɛtɑː', say='mettah')
    """
    if len(text) > _LARGEST:
        raise ScriptError(f"the lexicon is larger than {_LARGEST // 1024} kB", place=Place(file, 1), hint="split it")
    if (plain := rows(text)) is not None:
        return Lexicon(dict([plain]))
    source = _Source(text, file)
    try:
        data = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # besides TOML's own: a number or a nesting without end
        raise source.syntax(str(error)) from None
    for key in data:
        if key not in ("language", "words"):
            hint = f"{did_you_mean(key, ('language', 'words'))}; entries stand below [words]"
            raise ScriptError(f'unknown key "{key}"', place=source.key(key), hint=hint)
    language, words = data.get("language", ""), data.get("words", {})
    if not isinstance(language, str) or (language and not _LANGUAGE.fullmatch(language)):
        raise ScriptError("this is no language", place=source.key("language"), hint='write for example language = "en"')
    if not isinstance(words, dict):
        raise ScriptError("words must be a table", place=source.key("words"), hint="write [words] and entries below it")
    return Lexicon({_primary(language): read_entries(words, source.at)})


def pronounced(utterance: Utterance, lexicon: Lexicon, language: str, *, ipa: bool, by_word: bool = True) -> Utterance:
    """``utterance`` with spans over the words that ``lexicon`` knows in ``language`` (BCP 47); its text is the same.

    For a voice that reads ``ipa`` they are of kind "ipa" where an entry has some, else of kind "sub". Words that the
    script itself marks with a pronunciation or a substitute are left as they are. Without ``ipa`` the script's own
    spans of that kind are dropped, and the lexicon speaks for these words, or the voice as it can. A phrase has a span
    for each word, so that each keeps its own time; without ``by_word`` it has one, unless other markup begins or ends
    inside it.
    """
    own = tuple(span for span in utterance.spans if ipa or span.kind != "ipa")
    taken = [span for span in own if span.kind in ("ipa", "sub")]
    cuts = {edge for span in own for edge in (span.start, span.end)}
    found = [
        span
        for start, end, entry in _matches(utterance.text, lexicon, _primary(language))
        for span in _spans(
            utterance.text, start, end, entry, ipa=ipa, by_word=by_word or any(start < cut < end for cut in cuts)
        )
        if not any(span.start < each.end and each.start < span.end for each in taken)
        # Half of a word under emphasis cannot be said anew: the rest of its sound would have no place.
        and not any(span.start < cut < span.end for cut in cuts)
    ]
    if not found and len(own) == len(utterance.spans):
        return utterance
    spans = sorted((*own, *found), key=lambda span: (span.start, -span.end))
    return replace(utterance, spans=tuple(spans))


def _primary(language: str) -> str:
    return language.lower().partition("-")[0]


def _matches(text: str, lexicon: Lexicon, language: str) -> Iterator[tuple[int, int, Pronunciation]]:
    """Known phrases from left to right, at each place the longest; those with a possessive s have it in their sound."""
    if not lexicon.entries:
        return
    ranges = words_of(text)
    words = [folded(text[start:end]) for start, end in ranges]
    after = 0
    for at, length in [(at, length) for at, first in enumerate(words) for length in lexicon.lengths(first)]:
        stop = at + length
        if at < after or stop > len(words):
            continue
        written = " ".join([spelt(text[start:end]) for start, end in ranges[at:stop]])
        ends = _ENDS.match(text, ranges[stop - 1][1]) is not None
        entry = _entry(written, lexicon, language, ends=ends)
        if entry is None:
            entry = _entry(" ".join(words[at:stop]), lexicon, language, ends=ends)
        if entry is not None and _is_joined(text, ranges[at:stop]):
            yield ranges[at][0], ranges[stop - 1][1], entry
            after = stop


def _is_joined(text: str, ranges: list[tuple[int, int]]) -> bool:
    return all(_WITHIN.fullmatch(text, left[1], right[0]) for left, right in pairwise(ranges))


def _entry(phrase: str, lexicon: Lexicon, language: str, *, ends: bool) -> Pronunciation | None:
    entry = lexicon.find(phrase + END, language) if ends else None
    if entry is None:
        entry = lexicon.find(phrase, language)
    if entry is None and language == "en" and phrase.endswith("'s"):
        entry = lexicon.find(phrase[:-2], language)
        return entry and Pronunciation(entry.ipa and entry.ipa + _ending(entry.ipa), entry.say and f"{entry.say}'s")
    return entry


def _ending(ipa: str) -> str:
    """The sound of a possessive s behind ``ipa``."""
    last = next((sound for sound in reversed(ipa) if sound.isalpha() and sound not in "ːˑʰ"), "")
    return "ɪz" if last in _HISSING else "s" if last in _UNVOICED else "z"


def _spans(text: str, start: int, end: int, entry: Pronunciation, *, ipa: bool, by_word: bool) -> Iterator[Span]:
    """One span; or one for each word of the text where the sound has as many."""
    kind: SpanKind = "ipa" if ipa and entry.ipa else "sub"
    value = entry.ipa if kind == "ipa" else entry.say
    if not value:
        return
    words = list(re.finditer(r"\S+", text[start:end]))
    if by_word and len(words) == len(value.split()):
        for word, sound in zip(words, value.split(), strict=True):
            if sound != word.group():
                yield Span(start + word.start(), start + word.end(), kind, sound)
    else:
        yield Span(start, end, kind, value)


class _Source:
    """The text of a lexicon file, to find places in: TOML's reader tells none."""

    def __init__(self, text: str, file: str) -> None:
        self._text, self._file = text, file

    def syntax(self, message: str) -> ScriptError:
        """What TOML's reader found."""
        found = _AT_LINE.search(message)
        line, column = (int(found[1]), int(found[2])) if found else (self._text.rstrip("\n").count("\n") + 1, 1)
        place = Place(self._file, line, column)
        if re.search("overwrite|[Dd]uplicate|twice", message):
            return ScriptError("this is given twice", place=place, hint="keep one of them")
        what = _AT_LINE.sub("", message).removesuffix(" (at end of document)")
        hint = 'a word with a space or an accent stands in quotes: "mettā" = {say = "mettah"}'
        return ScriptError(f"this is not valid TOML: {what}", place=place, hint=hint)

    def key(self, key: str) -> Place:
        """Where a key of the file, or its table, stands."""
        return self._place(self._find(key))

    def at(self, word: str, key: str = "", value: str = "", index: int = 0, /) -> Place:
        """As ``script.pronunciation.At``."""
        begin = self._find(word, self._find("words"))
        place = self._find(key, begin + len(word)) if key else begin
        found = self._text.find(value, place) if value else -1
        return self._place(found + index if found >= 0 else place)

    def _find(self, key: str, begin: int = 0) -> int:
        """Where ``key`` stands from ``begin`` on, as a key or as (the end of) the name of a table."""
        name = rf"(?:\"{re.escape(key)}\"|'{re.escape(key)}'|(?<![\w-]){re.escape(key)}(?![\w-]))"
        found = re.compile(rf"{name}[ \t]*=|(?<=[\[.]){name}[ \t]*\]|\[[ \t]*{name}[ \t]*\]").search(self._text, begin)
        return found.start() if found else begin

    def _place(self, position: int) -> Place:
        before = self._text[:position]
        return Place(self._file, before.count("\n") + 1, position - before.rfind("\n"))
