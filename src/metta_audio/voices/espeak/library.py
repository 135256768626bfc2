"""The eSpeak NG library itself, through ctypes. All of it is global state, so there is one of it, behind a lock."""

from __future__ import annotations

import atexit
import ctypes
import functools
import os
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from metta_audio.errors import VoiceError
from metta_audio.sound.wave import Wave
from metta_audio.units import Hertz
from metta_audio.voices.espeak.catalog import installed, unusable

_SYNCHRONOUS = 2
_DONT_EXIT = 0x8000
_CHARS_UTF8 = 1
_SSML = 0x10
_PHONEMES = 0x100
_RATE, _VOLUME = 1, 2
_WORD, _END_OF_LIST = 1, 0
"""Constants of speak_lib.h: output mode, option of espeak_Initialize, flags of espeak_Synth, parameters, events."""

_BUFFER = 1000
"""Milliseconds of sound handed over at once. The usual 60 would call back a hundred times in a long sentence."""

_HALF_VOLUME = 50
"""Of a normal 100. A loud, stressed word then stays within 16 bits: the engine's gain control, which would act on the
next sentence, too, never wakes. Clips are levelled afterwards."""

_LONGEST_PATH = 150
"""Bytes of the way to its data. The library copies it into buffers of 160 and 190 without looking."""

_LONGEST_VOICE_PATH = 59
"""Bytes of the way to a voice file: espeak_ng_SetVoiceByFile cuts off what is longer."""

_LONGEST_NAME = 5
"""Characters of a voice file's name: "v" and a number below 10,000."""

_SEED = 1
"""Any constant: breath noise starts from the same point in every sentence."""

_SYLLABLE = b"a."
"""Brings the Klatt synthesizer, whose state survives the loading of a voice, to the same point each time: 1 ms."""


class _EventId(ctypes.Union):
    _fields_ = (("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8))


class _Event(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _EventId),
    )


_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))


@dataclass(frozen=True, slots=True)
class Heard:
    """What came back: the wave, and for each word event the character it begins at (from 0) and its sample."""

    wave: Wave
    events: tuple[tuple[int, int], ...]


class Library:
    """The loaded library. Raises VoiceError where it or its data is missing or will not start."""

    def __init__(self) -> None:
        # A short private folder of our own: voice files, and a short way to a data folder that lies too deep.
        self._folder = _short_folder()
        atexit.register(self._folder.cleanup)
        self._lock = threading.Lock()
        self._names: dict[bytes, str] = {}
        self._chunks: list[bytes] = []
        self._events: list[tuple[int, int]] = []
        path, self.data = installed()
        try:
            self._library = ctypes.CDLL(str(path))
        except OSError as error:
            raise unusable(f"the eSpeak NG library cannot be loaded ({error})") from error
        self._declare()
        rate = self._library.espeak_Initialize(_SYNCHRONOUS, _BUFFER, bytes(self._short(self.data)), _DONT_EXIT)
        if rate <= 0:
            raise unusable(f"eSpeak NG cannot read its data in {self.data}")
        self.rate = Hertz(rate)
        self.version: str = self._library.espeak_Info(None).decode()
        # The library keeps a bare pointer: the callback must live as long as it does.
        self._callback = _Callback(self._collect)
        self._library.espeak_SetSynthCallback(self._callback)

    def speak(self, voice: bytes, ssml: str, rate: int, *, phonemes: bool) -> Heard:
        """Speak ``ssml`` at the engine's ``rate`` by the voice whose file says ``voice``.

        A fixed syllable, not kept, comes first: with the voice files of ``catalog.voice_file`` nothing is then left of
        what was spoken before.
        """
        flags = _CHARS_UTF8 | _SSML | (_PHONEMES if phonemes else 0)
        with self._lock:
            file = bytes(self._file(voice))
            self._synthesize(file, _SYLLABLE, rate, _CHARS_UTF8)
            status = self._synthesize(file, ssml.encode(), rate, flags)
            chunks, events = self._chunks, self._events
        if status != 0:
            raise VoiceError(f"eSpeak NG failed (status {status})", hint="choose another voice")
        samples = np.frombuffer(b"".join(chunks), np.int16)
        return Heard(Wave.mono(samples.astype(np.float32) / np.float32(32768), self.rate), tuple(events))

    def _synthesize(self, file: bytes, text: bytes, rate: int, flags: int) -> int:
        """Collect ``text``; loading the voice anew (0.2 ms) resets filters, and seeding resets breath noise."""
        self._chunks, self._events = [], []
        if self._library.espeak_ng_SetVoiceByFile(file) != 0:
            raise VoiceError("eSpeak NG cannot load this voice", hint="choose another one")
        self._library.espeak_SetParameter(_RATE, rate, 0)
        self._library.espeak_SetParameter(_VOLUME, _HALF_VOLUME, 0)
        self._library.espeak_ng_SetRandSeed(_SEED)
        status: int = self._library.espeak_Synth(text, len(text) + 1, 0, 1, 0, flags, None, None)
        return status

    def _declare(self) -> None:
        library = self._library
        library.espeak_Info.restype = ctypes.c_char_p
        library.espeak_Info.argtypes = (ctypes.c_void_p,)
        library.espeak_ng_SetRandSeed.argtypes = (ctypes.c_long,)
        library.espeak_ng_SetVoiceByFile.argtypes = (ctypes.c_char_p,)
        library.espeak_Initialize.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_char_p, ctypes.c_int)
        library.espeak_SetParameter.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_int)
        library.espeak_Synth.argtypes = (
            ctypes.c_char_p,
            ctypes.c_size_t,
            ctypes.c_uint,
            ctypes.c_int,
            ctypes.c_uint,
            ctypes.c_uint,
            ctypes.c_void_p,
            ctypes.c_void_p,
        )

    def _collect(self, wave: ctypes._Pointer[ctypes.c_short], frames: int, event: ctypes._Pointer[_Event]) -> int:
        if wave and frames > 0:
            self._chunks.append(ctypes.string_at(wave, frames * ctypes.sizeof(ctypes.c_short)))
        number = 0
        while event[number].type != _END_OF_LIST:
            if event[number].type == _WORD:
                self._events.append((event[number].text_position - 1, event[number].sample))
            number += 1
        return 0

    def _file(self, voice: bytes) -> Path:
        path = Path(self._folder.name, self._names.setdefault(voice, f"v{len(self._names)}"))
        if not path.exists():
            # Gone, too, when a cleaner of temporary files came by.
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(voice)
        return path

    def _short(self, path: Path) -> Path:
        if len(bytes(path)) <= _LONGEST_PATH:
            return path
        link = Path(self._folder.name, "data")
        try:
            link.symlink_to(path, target_is_directory=True)
        except OSError as error:
            raise unusable(f"the path of the eSpeak NG data is too long: {path}") from error
        return link


def _short_folder() -> tempfile.TemporaryDirectory[str]:
    """A private folder for voice files, in the first place whose name is short enough.

    The temporary folders of macOS and Windows often are not.
    """
    places = [tempfile.gettempdir(), "/tmp", os.path.expandvars(r"%SystemRoot%\Temp")]  # noqa: S108 - the folder is ours
    for place in places:
        try:
            folder = tempfile.TemporaryDirectory(prefix="m", dir=place, ignore_cleanup_errors=True)
        except OSError:
            continue
        if len(os.fsencode(folder.name)) + 1 + _LONGEST_NAME <= _LONGEST_VOICE_PATH:
            return folder
        folder.cleanup()
    what = f"no temporary folder has a name that is short enough for eSpeak NG: {', '.join(places[:2])}"
    raise VoiceError(what, hint="set TMPDIR (on Windows TEMP) to a folder with a short name")


@functools.cache
def library() -> Library:
    """Return the one library of this process, started at the first call."""
    return Library()
