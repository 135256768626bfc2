"""Pictures written whole or not at all, with the same bytes on every machine that has the same matplotlib."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from metta_audio.errors import SettingsError, did_you_mean
from metta_audio.rendering.workplace import workplace

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FORMATS = ("png", "svg")
"""One for a screen, one for print and for search; the suffix names it."""

_FIXED: Any = {"svg.hashsalt": "metta_audio", "svg.fonttype": "none", "font.family": "DejaVu Sans",
               "text.parse_math": False}  # fmt: skip
"""No random ids, no fonts of this machine. Text stays text in SVG: it can be searched and read aloud."""


def check_format(path: Path) -> str:
    """The format that the suffix of ``path`` names, one of ``FORMATS``; SettingsError for any other."""
    kind = path.suffix.lower().lstrip(".")
    if kind not in FORMATS:
        raise SettingsError(f'cannot plot into "{path.name}"', hint=did_you_mean(kind, FORMATS))
    return kind


def write_figure(draw: Callable[[], Figure], path: Path) -> Path:
    """Write what ``draw`` makes into a PNG or SVG file; the same figure gives the same bytes.

    ``draw`` runs under the settings that make it so. Needs the extra ``plot`` (matplotlib). Raises SettingsError for
    another suffix and where matplotlib is missing, EncodeError where nothing can be written.
    """
    kind = check_format(path)
    try:
        import matplotlib as mpl
    except ImportError as error:
        raise SettingsError("plots need matplotlib", hint='install it with: pip install "metta-audio[plot]"') from error
    with mpl.rc_context(_FIXED), warnings.catch_warnings(), workplace(path.parent) as staging:
        # A title in letters that the font lacks shows as boxes.
        warnings.filterwarnings("ignore", "Glyph", UserWarning)
        target = staging.path(path.name)
        metadata = {"Date": None} if kind == "svg" else {"Software": None}
        draw().savefig(target, format=kind, metadata=metadata)
        return staging.commit()[0]
