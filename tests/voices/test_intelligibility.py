"""What a recogniser makes of the built-in voice: where its words begin, and whether it is understood."""

from __future__ import annotations

import os
import re
from pathlib import Path

import numpy as np
import pytest
import soxr

import metta_audio as metta
from metta_audio.script.model import ARTICULATION, Line
from metta_audio.speech.clip import make_clip
from metta_audio.speech.voice import Setup, Utterance, chain_of
from metta_audio.units import RATE
from metta_audio.voices.espeak import EspeakEngine

if os.environ.get("METTA_REQUIRE_ALL") == "1":
    import pocketsphinx
else:
    pocketsphinx = pytest.importorskip("pocketsphinx")

pytestmark = pytest.mark.slow

HEARING = 16_000
AROUND = 0.3
# Wide enough that no line is lost; silence is likely between words.
ALIGNING = {"lw": 1.0, "beam": 1e-100, "pbeam": 1e-100, "wbeam": 1e-80, "silprob": 0.1, "bestpath": False}


def decoder(**settings):
    model = Path(pocketsphinx.get_model_path(), "en-us")
    return pocketsphinx.Decoder(
        hmm=str(model / "en-us"),
        dict=str(model / "cmudict-en-us.dict"),
        lm=None,
        cmn="batch",
        loglevel="FATAL",
        **settings,
    )


def words_of(text):
    return [word.strip("'") for word in re.findall(r"[a-z']+", text.lower().replace("’", "'")) if word.strip("'")]


@pytest.fixture(scope="module")
def lines():
    """Forty lines of the shipped practices, evenly spread, all their words in the dictionary."""
    aligner, found = decoder(), {}
    for name in metta.Shelves.standard().practices():
        script = metta.load(name)
        session = metta.fill(script, minutes=script.header.minutes.max)
        for item in (item for section in session.sections for item in section.items):
            words = words_of(item.text) if isinstance(item, Line) else []
            if len(words) >= 3 and all(map(aligner.lookup_word, words)):
                found[item.text] = item
    return list(found.values())[:: max(1, len(found) // 40)][:40]


@pytest.fixture(scope="module")
def clips(lines):
    voice = EspeakEngine(Setup()).open("", "en-us")
    return [make_clip(voice.speak(Utterance(line.text, line.spans), ARTICULATION), chain_of(voice)) for line in lines]


def decoded(recogniser, clip):
    sound = np.pad(soxr.resample(clip.wave.samples[:, 0].astype(float), RATE, HEARING), round(AROUND * HEARING))
    # Under it a little noise: digital silence is no sound that the model was trained with.
    sound += 10 ** (-75 / 20) * np.random.default_rng(4).standard_normal(len(sound))
    recogniser.start_utt()
    recogniser.process_raw(np.round(np.clip(sound, -1, 1) * 32767).astype("<i2").tobytes(), full_utt=True)
    recogniser.end_utt()


def test_words_begin_where_a_forced_alignment_finds_them(lines, clips):
    aligner, errors, aligned = decoder(**ALIGNING), [], 0
    for line, clip in zip(lines, clips, strict=True):
        parts = [words_of(line.text[word.start : word.end]) for word in clip.words]
        spoken = [each for part in parts for each in part]
        aligner.set_align_text(" ".join(spoken))
        decoded(aligner, clip)
        found = [each for each in aligner.seg() or () if each.word[0] not in "<["]
        if [each.word.partition("(")[0] for each in found] != spoken:
            continue
        aligned += 1
        starts = iter(each.start_frame / aligner.config["frate"] - AROUND for each in found)
        for part, word in zip(parts, clip.words, strict=True):
            began = [next(starts) for _ in part]
            errors.append(abs(began[0] - word.onset / RATE))
    assert aligned >= 0.9 * len(lines)
    assert np.median(errors) <= 0.06
    assert np.percentile(errors, 90) <= 0.12


def test_each_line_is_told_from_all_others(lines, clips):
    recogniser = decoder(**ALIGNING)
    lines, clips = lines[::2], clips[::2]
    sentences = [" ".join(words_of(line.text)) for line in lines]
    recogniser.add_jsgf_string("lines", f"#JSGF V1.0; grammar lines; public <line> = {' | '.join(sentences)};")
    recogniser.activate_search("lines")
    heard = []
    for clip in clips:
        decoded(recogniser, clip)
        best = recogniser.hyp()
        heard.append(re.sub(r"\(\d+\)", "", best.hypstr) if best else "")
    told = sum(one == other for one, other in zip(sentences, heard, strict=True))
    assert told >= 0.9 * len(lines)
