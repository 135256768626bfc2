"""Voice-guided meditation audio: a written practice goes in, a finished recording comes out.

    >>> import metta_audio as metta
    >>> script = metta.load("metta-classic")
    >>> session = metta.fill(script, minutes=10)
    >>> plan = metta.plan(session, metta.Options(voice="silent"))
    >>> plan.timeline.length
    26460000

The commands of ``metta`` are these calls, with the same defaults.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from metta_audio.errors import MettaError
    from metta_audio.inspection import Inspection, inspect, judge
    from metta_audio.rendering.audition import audition, sounds
    from metta_audio.rendering.flow import Plan, fill, load, plan
    from metta_audio.rendering.options import Options
    from metta_audio.rendering.output import Rendering, Report, render
    from metta_audio.rendering.trying import try_voice
    from metta_audio.rendering.voices import get_voice, list_voices, remove_voice
    from metta_audio.shelves import Shelves
    from metta_audio.sound.wave import Wave

__version__ = "0.1.0"

_HOMES = {
    "MettaError": "errors",
    "Inspection": "inspection",
    "audition": "rendering.audition",
    "inspect": "inspection",
    "judge": "inspection",
    "Plan": "rendering.flow",
    "fill": "rendering.flow",
    "load": "rendering.flow",
    "plan": "rendering.flow",
    "Options": "rendering.options",
    "Rendering": "rendering.output",
    "Report": "rendering.output",
    "render": "rendering.output",
    "try_voice": "rendering.trying",
    "get_voice": "rendering.voices",
    "list_voices": "rendering.voices",
    "remove_voice": "rendering.voices",
    "Shelves": "shelves",
    "sounds": "rendering.audition",
    "Wave": "sound.wave",
}

__all__ = [
    "Inspection",
    "MettaError",
    "Options",
    "Plan",
    "Rendering",
    "Report",
    "Shelves",
    "Wave",
    "__version__",
    "audition",
    "fill",
    "get_voice",
    "inspect",
    "judge",
    "list_voices",
    "load",
    "plan",
    "remove_voice",
    "render",
    "sounds",
    "try_voice",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
