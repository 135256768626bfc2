"""Tags, chapters and art in finished files, written and read with mutagen."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from metta_audio.encode.container import Container
from metta_audio.errors import EncodeError
from metta_audio.timeline.model import Chapter
from metta_audio.units import to_milliseconds

NO_OFFSET = 0xFFFFFFFF
"""ID3 chapters: "use the times, not byte offsets"."""

PADDING = 1024
"""Bytes of room after an ID3 tag: a corrected title does not move the sound. Fixed, for equal bytes."""

SYNTHETIC = "The voice in this recording is computer-generated."
"""Podcast directories ask for the disclosure in the file as well as in the feed."""

PARTLY_SYNTHETIC = "Some of the speech in this recording is computer-generated."
"""The same where a person speaks, too."""

SYNTHETIC_KEY = "SYNTHETIC_VOICE"

_CLOCK = re.compile(r"(\d+):(\d+):(\d+(?:\.\d+)?)", re.ASCII)
"""Time of a chapter in Vorbis comments. What other programs write there may be anything."""


@dataclass(frozen=True, slots=True)
class Tags:
    """What a player shows. ``art`` is a JPEG; ``language`` as in the script, for instance ``en-us``.

    ``disclosure`` says that speech is computer-generated; empty where none is.
    """

    title: str
    artist: str
    album: str
    date: str
    genre: str
    language: str
    comment: str
    art: bytes
    chapters: tuple[Chapter, ...]
    disclosure: str = SYNTHETIC


def write_tags(path: Path, kind: Container, tags: Tags) -> None:
    """Tag the finished file in place: ID3v2.3 for MP3 and WAV, Vorbis comments for FLAC, Ogg and Opus."""
    from mutagen import MutagenError

    try:
        if kind.name in ("mp3", "wav"):
            _write_id3(path, kind, tags)
        else:
            _write_vorbis(path, kind, tags)
    except (MutagenError, OSError) as error:
        raise EncodeError(f"cannot tag {path.name}: {error}", hint="is there room on the disk?") from error


def _write_id3(path: Path, kind: Container, tags: Tags) -> None:
    from mutagen import id3
    from mutagen.wave import WAVE

    utf16 = id3.Encoding.UTF16
    frames: list[id3.Frame] = [
        id3.TIT2(utf16, [tags.title]),
        id3.TPE1(utf16, [tags.artist]),
        id3.TALB(utf16, [tags.album]),
        id3.TDRC(utf16, [tags.date]),
        id3.TCON(utf16, [tags.genre]),
        id3.TRCK(utf16, ["1"]),
        id3.TLAN(utf16, [_iso(tags.language)]),
        id3.COMM(utf16, _iso(tags.language), "", [tags.comment]),
        id3.APIC(id3.Encoding.LATIN1, "image/jpeg", id3.PictureType.COVER_FRONT, "cover", tags.art),
    ]
    if tags.disclosure:
        frames.append(id3.TXXX(utf16, SYNTHETIC_KEY, [tags.disclosure]))
    names = _chapter_ids([chapter.title for chapter in tags.chapters])
    frames.append(
        id3.CTOC(
            element_id="toc",
            flags=id3.CTOCFlags.TOP_LEVEL | id3.CTOCFlags.ORDERED,
            child_element_ids=names,
            sub_frames=[id3.TIT2(utf16, ["Chapters"])],
        )
    )
    frames += [
        id3.CHAP(
            element_id=name,
            start_time=to_milliseconds(chapter.start),
            end_time=to_milliseconds(chapter.start + chapter.length),
            start_offset=NO_OFFSET,
            end_offset=NO_OFFSET,
            sub_frames=[id3.TIT2(utf16, [chapter.title])],
        )
        for name, chapter in zip(names, tags.chapters, strict=True)
    ]
    if kind.name == "wav":
        wave = WAVE(path)
        wave.add_tags()
        for frame in frames:
            wave.tags.add(frame)
        wave.tags.update_to_v23()
        wave.save(v2_version=3)
        return
    tag = id3.ID3()
    for frame in frames:
        tag.add(frame)
    # v2.3: with v2.4, ffmpeg and Apple Podcasts drop chapters whose sub-frames reach 128 bytes.
    tag.update_to_v23()
    tag.save(path, v1=0, v2_version=3, padding=lambda _: PADDING)


def _chapter_ids(titles: Sequence[str]) -> list[str]:
    """Element ids that keep the chapters in time order in the file.

    mutagen writes frames of one kind by size, then by id, and some players take them as they come. Ids that make up
    for shorter titles give all frames one size.
    """
    sizes = [len(title.encode("utf-16-le")) for title in titles]
    return [f"chp{number:03d}" + "." * (max(sizes) - size) for number, size in enumerate(sizes)]


def _write_vorbis(path: Path, kind: Container, tags: Tags) -> None:
    from mutagen.flac import FLAC, Picture
    from mutagen.oggopus import OggOpus
    from mutagen.oggvorbis import OggVorbis

    file = {"flac": FLAC, "ogg": OggVorbis, "opus": OggOpus}[kind.name](path)
    if file.tags is None:
        file.add_tags()
    picture = Picture()
    picture.type, picture.mime, picture.desc, picture.data = 3, "image/jpeg", "cover", tags.art
    if kind.name == "flac":
        file.add_picture(picture)
    else:
        file["metadata_block_picture"] = base64.b64encode(picture.write()).decode()
    pairs = {
        "title": tags.title,
        "artist": tags.artist,
        "album": tags.album,
        "date": tags.date,
        "genre": tags.genre,
        "tracknumber": "1",
        "language": _iso(tags.language),
        "description": tags.comment,
    }
    if tags.disclosure:
        pairs[SYNTHETIC_KEY] = tags.disclosure
    for number, chapter in enumerate(tags.chapters, 1):
        pairs[f"CHAPTER{number:03d}"] = _clock(to_milliseconds(chapter.start))
        pairs[f"CHAPTER{number:03d}NAME"] = chapter.title
    for key, value in pairs.items():
        file[key] = value
    file.save(padding=lambda _: PADDING)


def _iso(language: str) -> str:
    """Three letters (ISO 639-2/T), as TLAN wants them; "und" (undetermined) for what is no language."""
    from langcodes import Language

    try:
        # The language alone: a voice's variant behind it need not be a tag of any standard.
        return Language.get(language.partition("-")[0]).to_alpha3()
    except (LookupError, ValueError):
        return "und"


def _clock(milliseconds: int) -> str:
    seconds, ms = divmod(milliseconds, 1000)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{ms:03d}"


@dataclass(frozen=True, slots=True)
class ReadTags:
    """What stands in a file: plain text by frame or comment name, and chapters as (seconds, title)."""

    text: dict[str, str]
    chapters: tuple[tuple[float, str], ...]


def read_tags(path: Path) -> ReadTags:
    """Tags and chapters of any file that mutagen knows; empty where there are none."""
    import mutagen

    try:
        file: Any = mutagen.File(path)
    except mutagen.MutagenError:
        file = None
    if file is None or not file.tags:
        return ReadTags({}, ())
    if hasattr(file.tags, "getall"):
        return _read_id3(file.tags)
    return _read_vorbis(file.tags)


def _read_id3(tag: Any) -> ReadTags:
    text = {
        str(key): str(frame)
        for key, frame in sorted(tag.items())
        if not str(key).startswith(("APIC", "CHAP", "CTOC", "PRIV"))
    }
    chapters = sorted((chap.start_time / 1000, _title(chap)) for chap in tag.getall("CHAP"))
    return ReadTags(text, tuple(chapters))


def _title(chap: Any) -> str:
    titles: Sequence[Any] = chap.sub_frames.getall("TIT2")
    return str(titles[0]) if titles else ""


def _read_vorbis(tag: Any) -> ReadTags:
    pairs = {str(key).upper(): str(value) for key, value in tag}
    chapters = []
    for key, value in sorted(pairs.items()):
        if key.startswith("CHAPTER") and key[7:].isdecimal() and (clock := _CLOCK.fullmatch(value)):
            hours, minutes, seconds = clock.groups()
            chapters.append((int(hours) * 3600 + int(minutes) * 60 + float(seconds), pairs.get(f"{key}NAME", "")))
    text = {k: v for k, v in pairs.items() if not k.startswith("CHAPTER") and k != "METADATA_BLOCK_PICTURE"}
    return ReadTags(text, tuple(chapters))
