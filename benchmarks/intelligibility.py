"""How well the built-in voice is understood, and how gentle it is: what its settings were chosen by.

A recogniser (pocketsphinx, with the English model of its wheel) writes down what it hears of the shipped practices,
and what it wrote is compared with what was spoken: *agreement* is 1 − word error rate, words that sound alike counting
as one. Spoken at 110 words a minute, through clip hygiene and the voice's chain, then brought to 16 kHz.

It hears with two models of language. ``pairs`` knows which words follow each other in the practices: a listener who
knows such practices. ``words`` knows the words, each as likely as any other after any other: nothing to hear by but
the sound, and so the harder one, which tells voices apart.

Five figures say how hard a voice is; a gentle one is low in all. Prints a table::

    python benchmarks/intelligibility.py                     # the built-in voice and the other calm ones
    python benchmarks/intelligibility.py --lines 200 en-gb en-us+f3
    python benchmarks/intelligibility.py --times             # word times against a forced alignment
"""

from __future__ import annotations

import argparse
import math
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import soxr
from numpy.typing import NDArray

import metta_audio as metta
from metta_audio.script.model import ARTICULATION, Line
from metta_audio.sound.chain import PLAIN
from metta_audio.speech.clip import Clip, make_clip
from metta_audio.speech.voice import Setup, Utterance, Voice, chain_of
from metta_audio.units import RATE, WordsPerMinute
from metta_audio.voices.espeak import EspeakEngine
from metta_audio.voices.espeak.engine import EspeakVoice

HEARING = 16_000
"""Hz at which the recogniser's model was trained."""

AROUND = 0.3
"""Seconds of silence around a clip, as a recogniser wants it."""

FLOOR = 10 ** (-75 / 20)
"""Noise under everything: digital silence is no sound that the model was trained with."""

SEED = 4
"""Of that noise and of nothing else."""

CALM = ("en-us", *(f"en-us+{name}" for name in ("f2", "m1", "f1", "Alex", "f3")))
"""The built-in voice, and those that other roles are cast from."""

Samples = NDArray[np.float64]


# What is spoken


def practice_lines(most: int = 0) -> list[Line]:
    """Distinct lines of every shipped practice at its longest, ``most`` of them evenly spread (0: all)."""
    found: dict[str, Line] = {}
    for name in metta.Shelves.standard().practices():
        script = metta.load(name)
        session = metta.fill(script, minutes=script.header.minutes.max)
        items = (item for section in session.sections for item in section.items)
        found.update((item.text, item) for item in items if isinstance(item, Line))
    lines = [line for line in found.values() if len(spoken_words(line.text)) >= 3]
    step = len(lines) / most if 0 < most < len(lines) else 1
    return [lines[int(number * step)] for number in range(min(most or len(lines), len(lines)))]


def spoken_words(text: str) -> list[str]:
    """Words as a dictionary has them: lower case, without punctuation, a hyphen parting two."""
    plain = text.lower().replace("’", "'")
    return [word.strip("'") for word in re.findall(r"[a-z']+", plain) if word.strip("'")]


def heard_as(clip: Clip) -> bytes:
    """A clip as the recogniser hears it: 16 kHz, 16 bits, a little silence around it."""
    sound = soxr.resample(clip.wave.samples[:, 0].astype(np.float64), RATE, HEARING, "HQ")
    padded = np.pad(sound, round(AROUND * HEARING))
    padded += FLOOR * np.random.default_rng(SEED).standard_normal(len(padded))
    return np.clip(np.round(padded * 32767), -32768, 32767).astype("<i2").tobytes()


# What is heard


class Recogniser:
    """Pocketsphinx with a dictionary of the words of ``lines`` and two models of their language."""

    def __init__(self, lines: Sequence[Line]) -> None:
        import pocketsphinx

        model = Path(pocketsphinx.get_model_path(), "en-us")
        sounds = _pronunciations(model / "cmudict-en-us.dict")
        texts = [spoken_words(line.text) for line in lines]
        words = sorted({word for text in texts for word in text} & sounds.keys())
        # The same for words that sound alike: "there" for "their" is heard, not misheard.
        self._sound = {word: min(sounds[word]) for word in sounds}
        with tempfile.TemporaryDirectory() as folder:
            dictionary = Path(folder, "words.dict")
            entries = [
                (word if number == 0 else f"{word}({number + 1})", said)
                for word in words
                for number, said in enumerate(sounds[word])
            ]
            dictionary.write_text("".join(f"{word} {said}\n" for word, said in entries), "utf-8")
            self._decoder = pocketsphinx.Decoder(
                hmm=str(model / "en-us"), dict=str(dictionary), lm=None, loglevel="FATAL",
                # Every clip by itself: nothing is carried over from the one before. Words inserted cost so much that
                # about as many are heard as were said.
                cmn="batch", wip=1e-4,
            )  # fmt: skip
            known = [[word for word in text if word in sounds] for text in texts]
            for name, arpa in (("pairs", pairs_model(known)), ("words", words_model(words))):
                path = Path(folder, f"{name}.arpa")
                path.write_text(arpa, "utf-8")
                self._decoder.add_lm_file(name, str(path))
        self._known = frozenset(words)

    def knows(self, line: Line) -> bool:
        """Whether every word of ``line`` stands in the dictionary."""
        return self._known.issuperset(spoken_words(line.text))

    def hear(self, sound: bytes, model: str) -> list[str]:
        """The words of ``sound`` as far as they were heard."""
        self._decoder.activate_search(model)
        _decode(self._decoder, sound)
        heard = self._decoder.hyp()
        return [word.partition("(")[0] for word in heard.hypstr.split()] if heard else []

    def errors(self, spoken: Sequence[str], heard: Sequence[str]) -> int:
        """Words left out, put in or taken for others, words that sound alike counting as one."""
        return distance([self._sound[word] for word in spoken], [self._sound.get(word, word) for word in heard])


class Aligner:
    """Pocketsphinx told what is said, to find where."""

    def __init__(self) -> None:
        import pocketsphinx

        model = Path(pocketsphinx.get_model_path(), "en-us")
        self._decoder = pocketsphinx.Decoder(
            hmm=str(model / "en-us"), dict=str(model / "cmudict-en-us.dict"), lm=None, loglevel="FATAL", cmn="batch",
            # Wide enough that no line is lost; silence is likely between words.
            lw=1.0, beam=1e-100, pbeam=1e-100, wbeam=1e-80, silprob=0.1, bestpath=False,
        )  # fmt: skip

    def onsets(self, clip: Clip, words: Sequence[str]) -> list[float] | None:
        """Seconds at which each of ``words``, known to be said, begins in ``clip``; None where they do not fit."""
        self._decoder.set_align_text(" ".join(words))
        _decode(self._decoder, heard_as(clip))
        found = [each for each in self._decoder.seg() or () if not each.word.startswith(("<", "["))]
        if [each.word.partition("(")[0] for each in found] != list(words):
            return None
        return [each.start_frame / self._decoder.config["frate"] - AROUND for each in found]


def _decode(decoder: Any, sound: bytes) -> None:
    decoder.start_utt()
    decoder.process_raw(sound, full_utt=True)
    decoder.end_utt()


def _pronunciations(dictionary: Path) -> dict[str, list[str]]:
    sounds: dict[str, list[str]] = {}
    for line in dictionary.read_text("utf-8").splitlines():
        word, _, said = line.partition(" ")
        sounds.setdefault(word.partition("(")[0], []).append(said.strip())
    return sounds


def distance(first: Sequence[str], second: Sequence[str]) -> int:
    """Fewest words to leave out, put in or change to make ``second`` of ``first`` (Levenshtein)."""
    row = list(range(len(second) + 1))
    for number, one in enumerate(first, 1):
        before, row[0] = row[0], number
        for place, other in enumerate(second, 1):
            change = before + (one != other)
            before = row[place]
            row[place] = min(change, before + 1, row[place - 1] + 1)
    return row[-1]


def words_model(words: Sequence[str]) -> str:
    """A model of language, as an ARPA file, in which every word is as likely as any other."""
    each = math.log10(1 / (len(words) + 1))
    entries = "".join(f"{each:.4f} {word}\n" for word in ("</s>", *words))
    return f"\\data\\\nngram 1={len(words) + 2}\n\n\\1-grams:\n-99 <s>\n{entries}\n\\end\\\n"


def pairs_model(texts: Iterable[Sequence[str]]) -> str:
    """A two-word model of ``texts`` as an ARPA file: half by which word came before, half by how common a word is."""
    framed = [["<s>", *text, "</s>"] for text in texts]
    singles = Counter(word for text in framed for word in text[1:])
    firsts = Counter(word for text in framed for word in text[:-1])
    pairs = Counter(pair for text in framed for pair in pairwise(text))
    total = singles.total()
    # A half each, so that a pair never seen is unlikely, not impossible.
    half = math.log10(0.5)
    ones = [("<s>", -99.0), *((word, math.log10(count / total)) for word, count in sorted(singles.items()))]
    twos = [
        (f"{one} {two}", math.log10(0.5 * count / firsts[one] + 0.5 * singles[two] / total))
        for (one, two), count in sorted(pairs.items())
    ]
    lines = [
        "\\data\\", f"ngram 1={len(ones)}", f"ngram 2={len(twos)}", "",
        "\\1-grams:", *(f"{chance:.4f} {word} {half:.4f}" for word, chance in ones), "",
        "\\2-grams:", *(f"{chance:.4f} {pair}" for pair, chance in twos), "", "\\end\\", "",
    ]  # fmt: skip
    return "\n".join(lines)


# How gentle it is


@dataclass(frozen=True)
class Gentleness:
    """Five figures, low in a gentle voice, of everything it said.

    ``edge``: power above 4 kHz against all of it, in dB. ``tilt``: dB by which the spectrum rises with each octave from
    250 Hz to 8 kHz. ``hiss``: the loudest hundredth of 10 ms at 4.5 to 9 kHz against the loudness of the speech, in dB.
    ``melody``: semitones from the 5th to the 95th percentile of its pitch within a line. ``swing``: standard deviation,
    in dB, of its level within a line. ``pitch``, the median in Hz, is shown, not judged.
    """

    edge: float
    tilt: float
    hiss: float
    melody: float
    swing: float
    pitch: float

    @property
    def hardness(self) -> float:
        """All five in one, each in steps that a listener just hears: 3 dB, 1 dB an octave, 3 dB, 2 semitones, 1 dB."""
        return self.edge / 3 + self.tilt + self.hiss / 3 + self.melody / 2 + self.swing


def gentleness(clips: Sequence[Clip]) -> Gentleness:
    """Measure all that a voice said."""
    sounds = [clip.wave.samples[:, 0].astype(np.float64) for clip in clips]
    whole = np.concatenate(sounds)
    power, hertz = np.abs(np.fft.rfft(whole)) ** 2, np.fft.rfftfreq(len(whole), 1 / RATE)
    octaves = [250.0 * 2**number for number in range(6)]
    levels = [_decibels(power[(hertz > low / math.sqrt(2)) & (hertz < low * math.sqrt(2))].sum()) for low in octaves]
    hissing = np.fft.irfft(np.fft.rfft(whole) * ((hertz > 4500) & (hertz < 9000)), len(whole))
    peaks = np.percentile(_powers(hissing, 0.01), 99)
    tunes = [tune for tune in map(_tune, sounds) if len(tune) > 10]
    swings = []
    for sound in sounds:
        steps = _powers(sound, 0.1)
        swings.append(np.std(10 * np.log10(steps[steps > 0.01 * steps.max()])))
    return Gentleness(
        edge=_decibels(power[hertz > 4000].sum() / power.sum()),
        tilt=float(np.polyfit(range(6), levels, 1)[0]),
        hiss=_decibels(peaks / _powers(whole, 0.1).mean()),
        melody=float(np.mean([12 * np.log2(np.percentile(tune, 95) / np.percentile(tune, 5)) for tune in tunes])),
        swing=float(np.mean(swings)),
        pitch=float(np.median(np.concatenate(tunes))),
    )


def _decibels(power: float) -> float:
    return 10 * math.log10(power)


def _powers(sound: Samples, seconds: float) -> Samples:
    """Mean power of each whole step."""
    step = round(seconds * RATE)
    powers: Samples = np.square(sound[: len(sound) // step * step]).reshape(-1, step).mean(axis=1)
    return powers


def _tune(sound: Samples) -> Samples:
    """Pitch in Hz, every 20 ms that is voiced: the strongest period of 50 to 350 Hz, if it is strong."""
    rate = 11_025
    slow = soxr.resample(sound, RATE, rate, "HQ")
    width, hop = rate * 60 // 1000, rate * 20 // 1000
    shortest, longest = rate // 350, rate // 50
    loud = np.sqrt(np.mean(slow**2))
    found = []
    for start in range(0, len(slow) - width - longest, hop):
        one, two = slow[start : start + width], slow[start : start + width + longest]
        if np.sqrt(np.mean(one**2)) < 0.3 * loud:
            continue
        match = np.correlate(two, one, "valid")
        energy = np.convolve(two**2, np.ones(width), "valid")
        likeness = match / np.sqrt(energy * energy[0] + 1e-12)
        best = likeness[shortest:].max()
        if best > 0.7:
            # The first period nearly as good as the best: twice the period is as good as once.
            found.append(rate / (shortest + int(np.argmax(likeness[shortest:] > 0.95 * best))))
    return np.array(found)


# One voice after another


@dataclass(frozen=True)
class Result:
    """What came of one voice. Agreement is from 0 (or less: more was heard than said) to 1."""

    name: str
    pairs: float
    words: float
    gentleness: Gentleness


def said(voice: Voice, lines: Iterable[Line], rate: float = float(ARTICULATION)) -> list[Clip]:
    """Each line as a recording would have it."""
    chain = chain_of(voice)
    return [make_clip(voice.speak(Utterance(line.text, line.spans), WordsPerMinute(rate)), chain) for line in lines]


def result(name: str, clips: Sequence[Clip], lines: Sequence[Line], recogniser: Recogniser) -> Result:
    """Hear and measure what one voice said."""
    spoken = [spoken_words(line.text) for line in lines]
    sounds = [heard_as(clip) for clip in clips]
    count = sum(map(len, spoken))
    agreed = []
    for model in ("pairs", "words"):
        heard = [recogniser.hear(sound, model) for sound in sounds]
        agreed.append(1 - sum(map(recogniser.errors, spoken, heard)) / count)
    return Result(name, *agreed, gentleness(clips))


def changed(name: str) -> EspeakVoice:
    """A voice by its name, with other lines in its voice file: ``en-us@words 4@pitch 82 118``.

    ``@chain none`` leaves its sound as it is.
    """
    variant, *changes = name.split("@")
    voice = EspeakEngine(Setup()).open(variant, "en-us")
    if "chain none" in changes:
        changes.remove("chain none")
        voice.chain = PLAIN
    if changes:
        file = voice.file.decode("latin-1").splitlines()
        new = {_subject(change) for change in changes}
        file = [*(line for line in file if _subject(line) not in new), *changes]
        language, _, speaker = variant.partition("+")
        made = EspeakVoice(language or "en-us", speaker, "\n".join([*file, ""]).encode("latin-1"))
        made.chain = voice.chain
        return made
    return voice


def _subject(line: str) -> str:
    """What a line of a voice file sets: ``pitch``, or ``formant 2``."""
    words = line.split()
    return " ".join(words[: 2 if words[0] == "formant" else 1])


def times(voice: Voice, lines: Sequence[Line]) -> None:
    """Print how far our word times lie from a forced alignment."""
    aligner, errors, aligned = Aligner(), [], 0
    for line, clip in zip(lines, said(voice, lines), strict=True):
        parts = [spoken_words(line.text[word.start : word.end]) for word in clip.words]
        onsets = aligner.onsets(clip, [word for part in parts for word in part])
        if onsets is None:
            continue
        aligned += 1
        rest = iter(onsets)
        for part, word in zip(parts, clip.words, strict=True):
            began = [next(rest) for _ in part]
            errors.append(word.onset / RATE - began[0])
    away = 1000 * np.abs(errors)
    print(
        f"{voice.name}: {len(errors)} words of {aligned} of {len(lines)} lines; median error {np.median(away):.0f} ms, "
        f"90th percentile {np.percentile(away, 90):.0f} ms, ours later by {1000 * np.median(errors):+.0f} ms"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("voices", nargs="*", help="such as en-us+f3, or en-us@pitch 82 118")
    parser.add_argument("--lines", type=int, default=20)
    parser.add_argument("--rate", type=float, default=float(ARTICULATION))
    parser.add_argument("--times", action="store_true", help="word times against a forced alignment")
    asked = parser.parse_args()
    everything = practice_lines()
    recogniser = Recogniser(everything)
    lines = [line for line in practice_lines(asked.lines) if recogniser.knows(line)]
    if asked.times:
        for name in asked.voices or ["en-us"]:
            times(changed(name), lines)
        return 0
    print(f"{'voice':<44} pairs words   edge  tilt   hiss melody swing pitch hardness")
    for name in asked.voices or CALM:
        each = result(name, said(changed(name), lines, asked.rate), lines, recogniser)
        hard = each.gentleness
        print(
            f"{name[:44]:<44} {each.pairs:5.2f} {each.words:5.2f} {hard.edge:6.1f} {hard.tilt:5.1f} {hard.hiss:6.1f}"
            f" {hard.melody:6.1f} {hard.swing:5.1f} {hard.pitch:5.0f} {hard.hardness:8.1f}",
            flush=True,
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
