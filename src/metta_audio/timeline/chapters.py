"""Chapters as JSON, in the form podcast apps read (Podcasting 2.0 chapters, version 1.2.0)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

from metta_audio.timeline.model import Chapter
from metta_audio.units import to_milliseconds


class JsonChapter(TypedDict):
    """``startTime`` and ``endTime`` in seconds, to the millisecond."""

    startTime: float
    endTime: float
    title: str


class JsonChapters(TypedDict):
    """The whole document."""

    version: str
    chapters: list[JsonChapter]


def to_json_chapters(chapters: Sequence[Chapter]) -> JsonChapters:
    """Chapters in ascending order, contiguous, the last ending with the recording."""
    return {
        "version": "1.2.0",
        "chapters": [
            {
                "startTime": to_milliseconds(chapter.start) / 1000,
                "endTime": to_milliseconds(chapter.start + chapter.length) / 1000,
                "title": chapter.title,
            }
            for chapter in chapters
        ],
    }
