"""The engine ``command``: any program on this machine that speaks, as a line of arguments in the settings.

No shell ever sees the line. The settings' table [command] names the voices::

    [command]
    slt = "flite -voice slt --setf duration_stretch={stretch} -t {text} -o {out}"

    [command.anna]
    line = "say -v Anna --data-format=LEI16@22050 -r {rate} -f {text_file} -o {out}"
    language = "de"

In place of {text}, {text_file} names a file that holds the text; without either it stands on standard input. Without
{out} the sound is taken from standard output. {rate} is the program's own words a minute, {stretch} 1 for its usual
pace and more for a slower one: either is measured, so that the asked rate is spoken. {language} is BCP 47.
"""

from __future__ import annotations

from metta_audio.voices.command.engine import CommandEngine

__all__ = ["CommandEngine"]
