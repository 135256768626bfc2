"""Marked text to headings and items: markdown-it finds the blocks, our own rules read what is inside them."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator

from markdown_it import MarkdownIt
from markdown_it.token import Token

from metta_audio.errors import Place, ScriptError
from metta_audio.script.gaps import Boundary
from metta_audio.script.headings import Heading, read_options, split_options
from metta_audio.script.inline import Passage, inline_parser, read_inline, role_labels
from metta_audio.script.library import Library
from metta_audio.script.marks import CONTROL, NOTHING, Marked
from metta_audio.script.model import Header, Item
from metta_audio.script.speech import Speaker

Piece = Heading | tuple[Item, Boundary]

_FOREIGN = {
    "fence": ("a block of code has no meaning here", "leave the fence out"),
    "blockquote_open": (
        "a quotation sign has no meaning here",
        "write the words without >, or declare a role for the speaker",
    ),
    "table_open": ("a table cannot be read aloud", "write it as sentences"),
    "hr": ("a rule has no meaning here", "start a section with # Title, or write [pause]"),
    "ordered_list_open": (
        "numbers in front of a list are not read",
        "write First, … Second, …; to speak the number write 1\\.",
    ),
}

_LIST_LIMIT = 1
"""A list inside a list cannot be heard as one."""


def read_markup(marked: Marked, header: Header, library: Library) -> Iterator[Piece]:
    """Read the filled text of a script. Each item comes with what ended before it: a sentence or a paragraph."""
    return _Reader(marked, header, library).pieces()


def _block_parser() -> MarkdownIt:
    parser = inline_parser()
    parser.block.ruler.enableOnly(["paragraph", "heading", "lheading", "hr", "list", "blockquote", "fence", "table"])
    parser.core.ruler.enableOnly(["normalize", "block"])
    return parser


def _without_comments(marked: Marked) -> str:
    """Text with each comment filled by nothing, newlines too, and exotic spaces made plain; no offset changes."""

    def fill(match: re.Match[str]) -> str:
        text = match.group()
        if not text.startswith("<!--"):
            return text
        if not text.endswith("-->"):
            raise ScriptError(
                "this comment is never closed",
                place=marked.at(match.start()),
                hint="close it with -->; a literal < is \\<",
            )
        return NOTHING * len(text)

    text = re.sub(r"\\.|<!--.*?(?:-->|\Z)", fill, marked.text, flags=re.DOTALL)
    return "".join(" " if char.isspace() and char != "\n" else char for char in CONTROL.sub(" ", text))


class _Reader:
    def __init__(self, marked: Marked, header: Header, library: Library) -> None:
        self.marked, self.header, self.library = marked, header, library
        self.text = _without_comments(marked)
        self.lines = self.text.split("\n")
        self.starts = [0]
        for line in self.lines:
            self.starts.append(self.starts[-1] + len(line) + 1)
        self.roles = role_labels(header.roles)
        self.parser = _block_parser()

    def pieces(self) -> Iterator[Piece]:
        tokens = self.parser.parse(self.text)
        lists = 0
        for index, token in enumerate(tokens):
            if token.type in _FOREIGN:
                what, hint = _FOREIGN[token.type]
                raise ScriptError(what, place=self.line_place(token), hint=hint)
            lists += {"bullet_list_open": 1, "bullet_list_close": -1}.get(token.type, 0)
            if lists > _LIST_LIMIT:
                raise ScriptError(
                    "a list inside a list cannot be heard", place=self.line_place(token), hint="make it one list"
                )
            if token.type != "inline":
                continue
            if tokens[index - 1].type == "heading_open":
                yield self.heading(tokens[index - 1], token)
            else:
                yield from self.paragraph(token)

    def paragraph(self, token: Token) -> Iterator[Piece]:
        at = self.places(token)
        speaker = Speaker(at, self.marked.marks, self.header.language)
        boundary: Boundary = "paragraph"
        passage = Passage(token.content, at, self.marked.marks, self.roles, self.library)
        for item in speaker.items(read_inline(self.parser, passage)):
            yield item, boundary
            boundary = "sentence"

    def heading(self, opening: Token, token: Token) -> Heading:
        place = self.line_place(opening)
        if not opening.markup.startswith("#"):
            what = "a line of - or = under a text makes no section here"
            raise ScriptError(what, place=place, hint="write # Title; to end a paragraph leave a line empty")
        if opening.markup != "#":
            raise ScriptError("sections have one level", place=place, hint="start the title with a single #")
        at, marks = self.places(token), self.marked.marks
        title, options, begin = split_options(token.content.rstrip(" " + NOTHING))
        if stray := re.search(r"(?<!\\)[{}]", title):
            raise ScriptError("this brace has no partner", place=at(stray.start()), hint="write # Title {share=18}")
        if any(value.private and value.text.strip() for value in marks.values_in(title)):
            what = "a section title cannot hold a listener's own words: titles become chapters, which anyone can read"
            raise ScriptError(what, place=place, hint="speak the words inside the section")
        tokens = read_inline(self.parser, Passage(title.rstrip(), at, marks, None, self.library))
        if any(inner.type == "cue" for inner in tokens):
            raise ScriptError(
                "a section title holds no cues", place=place, hint="put the cue on a line of its own below"
            )
        words = Speaker(at, marks, self.header.language).text(tokens)
        if not words:
            raise ScriptError("this section has no title", place=place, hint="write # Title")
        if not marks.values_in(options):
            return read_options(Heading(words, place), options, lambda position: at(begin + position))
        return read_options(Heading(words, place), marks.resolve(options), lambda _: at(begin))

    def line_place(self, token: Token) -> Place:
        """Place of the first character of the line that a block starts on."""
        line = token.map[0] if token.map else 0
        indent = len(self.lines[line]) - len(self.lines[line].lstrip())
        return self.marked.at(self.starts[line] + indent)

    def places(self, token: Token) -> Callable[[int], Place]:
        """Places of the positions in an inline token's content, whose lines are the ends of lines of the text."""
        contents = token.content.split("\n")
        first = token.map[0] if token.map else 0
        content_starts, offsets = [0], []
        for index, content in enumerate(contents):
            line = self.lines[min(first + index, len(self.lines) - 1)]
            found = line.rfind(content.strip())
            lead = len(content) - len(content.lstrip())
            offsets.append(self.starts[min(first + index, len(self.lines) - 1)] + max(found, 0) - lead)
            content_starts.append(content_starts[-1] + len(content) + 1)

        def at(position: int) -> Place:
            index = min(bisect_right(content_starts, position) - 1, len(offsets) - 1)
            return self.marked.at(max(0, offsets[index] + position - content_starts[index]))

        return at
