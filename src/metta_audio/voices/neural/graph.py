"""An ONNX graph that repeats itself, whatever ran before and in whatever thread."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from metta_audio.errors import VoiceError
from metta_audio.voices.neural.files import present

_RANDOM = (b"RandomNormal", b"RandomUniform", b"Multinomial", b"Bernoulli")
"""Beginnings of the names of ONNX operators that draw lots. A graph holds the names of its operators as plain bytes."""

_SEED = 1
"""Any constant: lots that are drawn begin at the same point in every line."""

_SILENT_LOG = 4
"""onnxruntime's severity "fatal". Whatever fails also raises; nothing else is for the eyes of a listener."""

_STATUS = re.compile(r"^\[ONNXRuntimeError\] : \d+ : \w+ : ")
"""What onnxruntime puts before each reason: numbers for programs."""

_BLOCK = 1 << 20
"""Bytes looked through at once."""


class Graph:
    """An ONNX graph, loaded at its first use. Several threads may ``run`` it at once.

    Graphs without lots have one session for all. With ``draws``, one that draws lots (and whose lots cannot be switched
    off) gets a fresh session for each run, seeded alike: the state of its generators is part of a session, so that
    nothing else makes it repeat itself. ``extended`` may add outputs to the model's bytes. ``advice`` says where a
    good file can be had. It has the methods of an ``onnxruntime.InferenceSession`` that are used here and by engines.
    """

    def __init__(
        self,
        path: Path,
        advice: str,
        *,
        draws: bool = False,
        extended: Callable[[bytes], bytes] | None = None,
    ) -> None:
        self._model_path = str(path)  # kokoro-onnx reads this of a session
        self._path = path
        self._advice = advice
        self._draws = draws
        self._extended = extended
        self._lock = threading.Lock()
        self._first: Any = None
        self._source: str | bytes = ""
        self._reseeded = False

    def get_inputs(self) -> Sequence[Any]:
        """Inputs, each with ``name`` and ``type``. Raises VoiceError for a file that is no model."""
        return self._session().get_inputs()  # type: ignore[no-any-return]

    def get_outputs(self) -> Sequence[Any]:
        """Outputs, each with ``name`` and ``type``."""
        return self._session().get_outputs()  # type: ignore[no-any-return]

    def get_modelmeta(self) -> Any:
        """What the model says about itself."""
        return self._session().get_modelmeta()

    def run(self, names: Sequence[str] | None, feeds: Mapping[str, Any]) -> list[Any]:
        """Outputs ``names`` (all) for ``feeds``. Raises VoiceError where the graph does not take them."""
        session = self._session()
        if self._reseeded:
            session = _seeded(self._source, self._fault)
        try:
            return session.run(names, feeds)  # type: ignore[no-any-return]
        except Exception as error:  # onnxruntime has a class for each fault, and no base of them all
            raise self._fault(error) from error

    def check(self, wanted: Collection[str], allowed: Collection[str] = ()) -> None:
        """Raise VoiceError for a graph without the inputs ``wanted``, or with others than these and ``allowed``."""
        names = {each.name for each in self.get_inputs()}
        if not set(wanted) <= names <= {*wanted, *allowed}:
            what = f"{self._path} is a model of another kind: it takes {', '.join(sorted(names)) or 'nothing'}"
            raise VoiceError(what, hint=self._advice)

    def _session(self) -> Any:
        with self._lock:
            if self._first is None:
                present(self._path, self._advice)
                self._reseeded = self._draws and _draws_lots(self._path)
                try:
                    model = self._extended(self._path.read_bytes()) if self._extended else None
                except OSError as error:
                    raise self._fault(error) from error
                self._source = model if model is not None else str(self._path)
                self._first = _seeded(self._source, self._fault)
                if not self._reseeded:
                    self._source = ""  # the bytes are not needed again
            return self._first

    def _fault(self, error: Exception) -> VoiceError:
        # The first line says it; onnxruntime adds its own source lines and, for some, a stack.
        first = next(iter(str(error).splitlines()), "")
        reason = _STATUS.sub("", first).removeprefix(f"Load model from {self._path} failed:").strip().rstrip(".")
        reason = reason or type(error).__name__
        return VoiceError(f"{self._path} does not work as a model ({reason[:200]})", hint=self._advice)


_seeding = threading.Lock()


def _seeded(source: str | bytes, fault: Callable[[Exception], VoiceError]) -> Any:
    """Open a session on one core; the seed is global and read while it is made, hence the lock."""
    import onnxruntime  # an extra, and slow to load

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1  # lines are spoken side by side instead
    options.log_severity_level = _SILENT_LOG
    with _seeding:
        onnxruntime.set_default_logger_severity(_SILENT_LOG)
        onnxruntime.set_seed(_SEED)
        try:
            return onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime has a class for each fault, and no base of them all
            raise fault(error) from error


def _draws_lots(path: Path) -> bool:
    kept = max(map(len, _RANDOM))
    with path.open("rb") as file:
        block = file.read(_BLOCK)
        while block:
            if any(name in block for name in _RANDOM):
                return True
            rest = file.read(_BLOCK)
            # A name may lie across the cut.
            block = block[-kept:] + rest if rest else b""
    return False
