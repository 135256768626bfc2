"""How loud each thing is, in one place. Speech is the reference; everything else is set against it."""

from __future__ import annotations

from metta_audio.units import Decibels, Lufs, Seconds

SPEECH = Lufs(-16.0)
"""Gated loudness of every clip once it stands in the stereo mix: the middle of what Apple Podcasts accepts (-16 ±1)."""

TARGETS = {"apple": SPEECH, "aes": Lufs(-18.0), "sleep": Lufs(-20.0), "ebu": Lufs(-23.0)}
"""Integrated loudness by the name of who asks for it: Apple Podcasts; AES TD1008 for speech; four LU softer than a
podcast, for a bed at night; EBU R 128 for broadcast. Everything is moved together, so every distance stays."""

LOUDNESS = (Lufs(-30.0), Lufs(-14.0))
"""Any other number that may be asked for: softer, players cannot make up for it; louder, the limiter would press."""

SPEECH_RMS = Decibels(-19.0)
"""What speech at ``SPEECH`` measures as RMS per channel while someone speaks: BS.1770 adds the two channels' power
(+3 dB) and its K-filter adds little to a voice. ``bed level`` is relative to this."""

BED_BELOW_SPEECH = Decibels(-20.0)
"""Default level of the bed where nobody speaks, RMS against ``SPEECH_RMS``: present, never in the way."""

BED = Lufs(-39.0)
"""Loudest a bed may be at its default level, whatever its RMS: a bright bed sounds louder than a dark one. It keeps
below BS.1770's relative gate beside speech, so that a practice of long silences measures as loud as its voice."""

DUCK = Decibels(-6.0)
"""Further fall of the bed while someone speaks. Together -26 dB: the 20 dB of WCAG technique G56 hold with room to
spare for a quiet word or a swell in the bed."""

STEEPEST = 20.0
"""Decibels a second. A bed that moves faster is heard to move; under it, the change passes as distance."""

DUCK_ATTACK = Seconds(0.8)
"""The bed is down before the first word: the plan is known, so nothing has to be chased. From the top of a rise it
falls 8 dB in this time, 15.7 dB a second at its steepest."""

DUCK_RELEASE = Seconds(2.4)
"""About half a breath: slow enough to pass unnoticed with closed eyes; a return in under a second is heard as
pumping."""

DUCK_BRIDGE = Seconds(3.5)
"""Gaps between sentences up to this stay ducked, so that the bed does not breathe with every phrase: a little over the
3.2 s of both ramps together, as a bed that turns round on its way is heard to pump."""

RISE = Decibels(2.0)
"""How far the bed comes forward in a long silence: enough to hold a listener who is left alone with it, too little to
be noticed as it happens. With it even the brightest bed lies 19 dB under the voice's loudness."""

RISE_AFTER = Seconds(8.0)
"""A pause of two slow breaths is still part of what was said; what is longer is a silence."""

RISE_OVER = Seconds(8.0)
"""0.4 dB a second at its steepest, slower than a bed's own drift."""

BELL = Lufs(-20.0)
"""Loudest 400 ms of a bell strike: 4 LU below the voice, because a bell must never startle closed eyes."""

BREATH = Lufs(-36.0)
"""Loudest 400 ms of a breath swell: clear on a phone in a quiet room, and below BS.1770's relative gate beside
speech, so that ten minutes of breathing do not pull the measured loudness down."""

CEILING = Decibels(-2.0)
"""True-peak ceiling of the mix in dBTP. Apple asks for at most -1; MP3 at 128 kbps adds up to 1 dB of overshoot."""

BED_FADE_IN = Seconds(4.0)
"""The bed is there before anyone speaks; four seconds is a breath in."""

BED_FADE_OUT = Seconds(8.0)
"""Long enough that nobody can say when the sound ended."""

BED_CROSSFADE = Seconds(4.0)
"""Between two beds, and for a change of level: a change is felt, not heard."""

EDGE_FADE = Seconds(0.01)
"""At both ends of anything that is cut: 10 ms leaves no click and takes no syllable."""
