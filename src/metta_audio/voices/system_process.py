"""What runs in a process of its own for each thing that is asked of the system's voices: pyttsx3, and nothing of ours.

Run by its path, as ``python -P system_process.py FOLDER``, with the request as JSON on standard input. The answer is
written to ``answer.json`` in that folder, as engines print to standard output.
"""

from __future__ import annotations

import ctypes
import functools
import itertools
import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ANSWER = "answer.json"
SOUND = "speech.wav"

_GRACE = 20.0
_POLL = 0.05
"""Seconds that the file may take to be whole after the engine says it is done, and between two looks: a file that did
not grow from one to the next is whole, as drivers write it in one go."""

_LIBRARIES = ("libespeak-ng.so.1", "/usr/local/lib/libespeak-ng.so.1", "libespeak.so.1")
"""Where pyttsx3 looks for eSpeak on Linux."""

_LENGTHENED = "voice"
_LONGER = (127, 98, 154, 154, 154, 168, 182, 196)
"""Added to the lengths of syllables, by stress: 0.7 of eSpeak's usual ones. Its slowest rate really is 112 words a
minute in English; so it comes down to about 80, and a calm rate lies well inside what it can do."""

_LONGEST_PATH = 150
"""Bytes. eSpeak copies paths into a buffer of 160."""


def _lend_library(folder: Path) -> None:
    """On a Linux without eSpeak, let pyttsx3 have the one that comes with this package."""
    for name in _LIBRARIES:
        try:
            ctypes.CDLL(name)
        except OSError:
            continue
        return
    import espeakng_loader

    library = ctypes.CDLL(espeakng_loader.get_library_path())
    data = Path(espeakng_loader.get_data_path())
    if len(bytes(data)) > _LONGEST_PATH:
        link = folder / "data"
        link.symlink_to(data, target_is_directory=True)
        data = link
    os.environ["ESPEAK_DATA_PATH"] = str(data)
    # This process serves nothing else: whatever pyttsx3 looks for now is eSpeak.
    ctypes.cdll.LoadLibrary = functools.partial(_lent, library)  # type: ignore[method-assign]


def _lent(library: ctypes.CDLL, _path: str) -> ctypes.CDLL:
    return library


def _serve(request: dict[str, Any], folder: Path) -> Any:
    """List the voices, or speak into a file. Raises RuntimeError where the engine fails or takes another voice."""
    if sys.platform == "linux":
        _lend_library(folder)
    import pyttsx3

    engine = pyttsx3.init()
    if not request:
        voices = [[str(voice.id), _language(voice.languages)] for voice in engine.getProperty("voices")]
        return {"voices": voices, "engine": _engine_version(engine)}
    faults: list[str] = []
    # What goes wrong inside the engine is told to listeners, and to nobody else.
    engine.connect("error", lambda exception=None, **_: faults.append(type(exception).__name__))
    engine.setProperty("voice", request["voice"])
    engine.setProperty("rate", request["rate"])
    file = folder / SOUND
    engine.save_to_file(request["text"], str(file))
    if sys.platform == "linux":
        # The moment after voice and rate were set, and before a sound is made.
        engine.connect("started-utterance", lambda **_: _lengthen(request["voice"], request["rate"], folder))
    engine.runAndWait()
    if faults:
        raise RuntimeError(f"it failed with {faults[0]}")
    if (
        str(engine.getProperty("voice")).lower() != request["voice"].lower()
        and not folder.joinpath(_LENGTHENED).exists()
    ):
        raise RuntimeError("it took another voice than the one asked for")
    return _finished(file)


def _engine_version(engine: Any) -> str:
    """Which engine speaks: its driver, and the version of eSpeak, which is no part of the system."""
    driver = str(getattr(engine, "driver_name", ""))
    if driver != "espeak":
        return driver
    from pyttsx3.drivers import _espeak

    tell = _espeak.dll.espeak_Info
    tell.restype = ctypes.c_char_p
    return f"{driver} {(tell(None) or b'').decode('ascii', 'replace')}"


def _lengthen(voice: str, rate: int, folder: Path) -> None:
    """Have eSpeak speak ``voice`` with longer syllables. Without what it takes, the voice stays as it is."""
    from pyttsx3.drivers import _espeak

    driver = _espeak.dll
    current = _espeak.GetCurrentVoice().contents.identifier.decode().lower()
    place = ctypes.c_char_p()
    driver.espeak_Info(ctypes.byref(place))
    data = Path(os.fsdecode(place.value or b""))
    found = (path for path in data.glob("lang/**/*") if path.relative_to(data / "lang").as_posix().lower() == voice)
    file = next(found, None)
    if file is None or current != voice or not hasattr(driver, "espeak_ng_SetVoiceByFile"):
        return
    lines = file.read_bytes().splitlines()
    own = next((line.split()[1:9] for line in lines if line.startswith(b"stressAdd")), [])
    added = [more + int(each) for more, each in itertools.zip_longest(_LONGER, own, fillvalue=0)]
    ours = folder / _LENGTHENED
    ours.write_bytes(b"\n".join([*lines, b"stressAdd " + b" ".join(b"%d" % each for each in added), b""]))
    if driver.espeak_ng_SetVoiceByFile(os.fsencode(ours)) != 0:
        _espeak.SetVoiceByName(voice.encode())
        ours.unlink()
    _espeak.SetParameter(_espeak.RATE, rate, 0)


def _finished(file: Path) -> bool:
    """Wait until the file is whole: some drivers return from ``runAndWait`` while they still speak into it."""
    size = -1
    for _ in range(round(_GRACE / _POLL)):
        before, size = size, file.stat().st_size if file.exists() else -1
        if 0 < size == before:
            return True
        time.sleep(_POLL)
    return False


def _language(languages: Sequence[str | bytes] | None) -> str:
    """Read the first language; eSpeak puts a byte for its priority before it."""
    if not languages:
        return ""
    first = languages[0]
    plain = first.decode("utf-8", "ignore") if isinstance(first, bytes) else str(first)
    return "".join(filter(str.isprintable, plain)).lower().replace("_", "-")


def main(folder: Path) -> None:
    """Answer one request."""
    answer = _serve(json.loads(sys.stdin.buffer.read()), folder)
    folder.joinpath(ANSWER).write_text(json.dumps(answer), encoding="utf-8")
    # Without goodbye: libraries of speech crash in theirs.
    os._exit(0)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
