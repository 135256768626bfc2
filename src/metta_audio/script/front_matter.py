"""YAML with places: what ruamel.yaml reads, where each key and value stands, and nothing that could blow up."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import AliasEvent, CollectionEndEvent, CollectionStartEvent, NodeEvent
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from metta_audio.errors import Place, ScriptError

_DEPTH_LIMIT = 8
"""The header's own shape is three deep (params, a parameter, its choices)."""

_TAG = "tag:yaml.org,2002:"

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class FrontMatter:
    """Plain data, and the place of each key by its path: ``("params", "name", "type")``."""

    data: dict[str, Any]
    places: dict[Path, Place] = field(default_factory=dict)

    def place(self, path: Path) -> Place:
        """Place of ``path``, or of the nearest thing around it."""
        while path not in self.places:
            path = path[:-1]
        return self.places[path]


def read_front_matter(text: str, *, file: str, first_line: int) -> FrontMatter:
    """Read the lines between the fences; ``first_line`` is the number of the first. Raises ``ScriptError``."""
    text = re.sub("[\x85\u2028\u2029]", " ", text)  # YAML would count them as line ends; editors do not
    reader = _Reader(file, first_line)
    try:
        reader.guard(text)
        root = YAML(typ="safe", pure=True).compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = reader.place(mark) if mark else Place(file, first_line)
        raise ScriptError(
            f"the front matter is not valid YAML: {error.problem or error.context}", place=place
        ) from None
    except YAMLError as error:
        position = int(getattr(error, "position", 0) or 0)
        line = first_line + text.count("\n", 0, position)
        column = position - text.rfind("\n", 0, position)
        raise ScriptError(
            "the front matter holds a character that YAML forbids", place=Place(file, line, column)
        ) from None
    except (ValueError, RecursionError) as error:
        raise ScriptError(f"the front matter is not valid YAML: {error}", place=Place(file, first_line)) from None
    start = Place(file, first_line)
    if root is None:
        return FrontMatter({}, {(): start})
    if not isinstance(root, MappingNode):
        raise ScriptError(
            "the front matter is not a list of settings", place=start, hint="write lines such as title: …"
        )
    return FrontMatter(reader.value(root, ()), reader.places | {(): start})


class _Reader:
    """Turns composed nodes into plain data while it notes where everything stands."""

    def __init__(self, file: str, first_line: int) -> None:
        self.file, self.first_line = file, first_line
        self.places: dict[Path, Place] = {}

    def place(self, mark: Any) -> Place:
        return Place(self.file, self.first_line + int(mark.line), int(mark.column) + 1)

    def guard(self, text: str) -> None:
        """Refuse aliases (a few lines of them unfold to gigabytes), tags and deep nesting before anything is built."""
        depth = 0
        for event in YAML(typ="safe", pure=True).parse(text):
            if isinstance(event, AliasEvent) or (isinstance(event, NodeEvent) and event.anchor):
                raise ScriptError(
                    "anchors and aliases (& and *) are not used here",
                    place=self.place(event.start_mark),
                    hint="put the text in quotes",
                )
            if isinstance(event, CollectionStartEvent):
                depth += 1
            elif isinstance(event, CollectionEndEvent):
                depth -= 1
            if depth > _DEPTH_LIMIT:
                raise ScriptError("the front matter is nested too deeply", place=self.place(event.start_mark))

    def value(self, node: Node, path: Path) -> Any:
        self.places.setdefault(path, self.place(node.start_mark))
        if isinstance(node, MappingNode):
            return self._mapping(node, path)
        if isinstance(node, SequenceNode):
            return [self.value(item, (*path, index)) for index, item in enumerate(node.value)]
        return self._scalar(str(node.value), str(node.tag), self.place(node.start_mark))

    def _mapping(self, node: MappingNode, path: Path) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            place = self.place(key_node.start_mark)
            if not isinstance(key_node, ScalarNode):
                raise ScriptError("a key must be a word", place=place)
            key = str(key_node.value)
            if key in found:
                raise ScriptError(f'"{key}" is given twice', place=place, hint="keep one of them")
            self.places[*path, key] = place
            found[key] = self.value(value_node, (*path, key))
        return found

    def _scalar(self, text: str, tag: str, place: Place) -> Any:
        try:
            text.encode()
        except UnicodeEncodeError:
            raise ScriptError("this text is not valid Unicode", place=place) from None
        match tag.removeprefix(_TAG):
            case "str" | "timestamp":
                return text
            case "null":
                return None
            case "bool":
                return text.lower() == "true"
            case "int" | "float":
                return _number(text, place)
            case _:
                raise ScriptError(f"YAML tags such as {tag} are not used here", place=place, hint="leave the tag out")


def _number(text: str, place: Place) -> int | float:
    plain = text.replace("_", "")
    for read in (int, lambda digits: int(digits, 0), float):
        try:
            number: int | float = read(plain)
        except ValueError:
            continue
        if math.isfinite(number):
            return number
    raise ScriptError(f"{text[:40]} is not a number that can be used", place=place)
