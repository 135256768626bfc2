"""The engine ``http``: voices behind an address that the user named."""

from __future__ import annotations

import hashlib
import itertools
import os
import threading
from collections.abc import Sequence

from metta_audio.errors import VoiceError, did_you_mean
from metta_audio.sound.chain import MILD
from metta_audio.sound.wave import Wave
from metta_audio.speech.activity import stretches
from metta_audio.speech.calibration import Calibration, calibrate, calibration_text
from metta_audio.speech.voice import Setup, Speech, Utterance, VoiceInfo, unspeakable
from metta_audio.units import WordsPerMinute
from metta_audio.voices.http.request import Client
from metta_audio.voices.http.server import KEY, NAME, URL, Server, read_server
from metta_audio.voices.outside import said

_VERSION = 1
"""Counts changes of this package that change what is asked for."""

_NORMAL = 1.0
_SPEEDS = (0.25, 4.0)
"""What the interface allows for ``speed``."""

_BEYOND = 0.1
"""Share by which the second measurement goes past the speed that should do: servers keep to their speeds as well as
that, so the asked rate then lies between two that were heard."""

_HEEDED = 1 / 3
"""Share of an asked change of speed that must be heard. A voice that varies by itself does so by a few percent."""


class HttpVoice:
    """One voice of a server. It tells no word times, and of markup it knows only substitutes.

    A server that does not heed ``speed`` speaks at its own rate; ``note`` then says so.
    """

    chain = MILD  # anything from a formant synthesizer to a neural network may stand behind it
    concurrent = True

    def __init__(self, server: Server, voice: str, language: str) -> None:
        self.name = f"http:{voice}"
        self.languages = server.languages
        self.note = ""
        self._server = server
        self._voice = voice
        self._text = calibration_text(language)
        self._client = Client(server)
        self._lock = threading.Lock()
        self._speeds: dict[WordsPerMinute, float] = {}
        self._normal: Wave | None = None

    @property
    def fingerprint(self) -> str:
        """Everything but text and rate that changes the sound, as far as a server lets one see."""
        text = hashlib.sha256(self._text.encode()).hexdigest()
        return f"http {_VERSION} {self._server.endpoint} {self._server.model} {self._voice} {text} {_BEYOND}"

    def speak(self, utterance: Utterance, rate: WordsPerMinute) -> Speech:
        """Speak without word times. Raises VoiceError when the server does not, or the rate is out of its reach."""
        line = said(utterance)
        hidden = f"{utterance.text} {line}"
        speech = self._client.speak(line, self._voice, self._speed(rate), hidden=hidden)
        if not stretches(speech.wave):
            raise unspeakable(self.name)
        return speech

    def _speed(self, rate: WordsPerMinute) -> float:
        """The speed for ``rate``, from two measurements: at the voice's own, and a little past the asked one.

        Each costs a request, so that a rate is measured when it is first spoken, and never otherwise.
        """
        with self._lock:
            if rate not in self._speeds:
                self._speeds[rate] = self._measured(rate)
            return self._speeds[rate]

    def _measured(self, rate: WordsPerMinute) -> float:
        own = calibrate(self._say, self._text, [_NORMAL]).rates[0]
        beyond = 1 + _BEYOND if rate > own else 1 - _BEYOND
        aim = min(max(rate / own * beyond, _SPEEDS[0]), _SPEEDS[1])
        heard = calibrate(self._say, self._text, sorted((_NORMAL, aim)))
        if _ignores(heard):
            self.note = f"{self.name} speaks at its own {own:.0f} words a minute: its server does not heed speed"
            return _NORMAL
        return heard.setting(rate)

    def _say(self, speed: float) -> Wave:
        if speed != _NORMAL:
            return self._client.speak(self._text, self._voice, speed).wave
        if self._normal is None:
            self._normal = self._client.speak(self._text, self._voice, speed).wave
        return self._normal


def _ignores(heard: Calibration) -> bool:
    asked = heard.settings[-1] / heard.settings[0] - 1
    return heard.rates[-1] / heard.rates[0] - 1 < _HEEDED * asked


class HttpEngine:
    """The voices of a server: ``http``, ``http:NAME``. Before a line is spoken, no network is asked."""

    name = NAME

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._environment = {name: os.environ.get(name, "") for name in (URL, KEY)}

    def problem(self) -> str:
        """Say why it cannot run here; empty when it can."""
        try:
            self._server()
        except VoiceError as error:
            return str(error)
        return ""

    def voices(self) -> Sequence[VoiceInfo]:
        """The voices that the settings name; without any, the one that such servers have by default."""
        try:
            server = self._server()
        except VoiceError:
            return []
        where = f"{server.host}, on this machine" if server.local else f"{server.host}: your text goes there"
        return [VoiceInfo(f"http:{name}", server.languages, "own", summary=where) for name in server.voices]

    def cast(self, variant: str, language: str, roles: int) -> Sequence[str]:
        """Give each role another of the server's voices, as far as there are."""
        del language  # whether they speak it is seen before
        lead = self._resolve(variant)
        others = [name for name in self._server().voices if name != lead]
        return list(itertools.islice(itertools.cycle([lead, *others]), roles))

    def open(self, variant: str, language: str) -> HttpVoice:
        """Open the voice ``variant``, or the first one. Raises VoiceError for one that cannot be."""
        return HttpVoice(self._server(), self._resolve(variant), language)

    def _server(self) -> Server:
        return read_server(self._setup, self._environment)

    def _resolve(self, variant: str) -> str:
        server = self._server()
        name = variant.strip() or server.voices[0]
        if server.listed and name not in server.voices:
            raise VoiceError(f'[http] in the settings lists no voice "{name}"', hint=did_you_mean(name, server.voices))
        return name
