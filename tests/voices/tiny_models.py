"""Models of a few kB with the true inputs and outputs of Piper and Kokoro, made with the onnx package.

They hum: each sound of a text is a stretch of a buzz, spaces are short and quiet, and both ends are silent. Lengths
follow the number of sounds and the speed as the real models' do, so that all that is said of rates can be measured.

``slow`` is the number of products of large matrices that a graph works out besides, a few milliseconds each, on one
core and without holding Python's lock.
"""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

IPA = (
    " !'(),-.:;?abcdefhijklmnopqrstuvwxyzæçðøħŋœɐɑɒɓɔɕɖɗɘəɚɛɜɞɟɡɢɣɤɥɦɧɨɪɫɬɭɯɰɱɲɳɴɵɸɹɺɻɽɾʀʁʂʃʈʉʊʋʌʍʎʏʐʑʒʔʕʝʟʰˈˌːˑβθχᵻ"
    "\u0327\u0329\u0303"
)
"""What the tiny Piper model knows: the sounds of European languages and Hindi, as eSpeak NG writes them."""

ESPEAK = {"en_US": "en-us", "en_GB": "en-gb-x-rp", "pt_BR": "pt-br", "es_MX": "es-419"}
"""Languages whose name in eSpeak NG is more than that without its region."""

KOKORO_STYLES = ("af_heart", "af_bella", "am_michael", "bf_emma", "bm_george", "ef_dora", "ff_siwis", "jf_alpha")

_SIDE = 384
"""Rows of the matrices that ``slow`` multiplies: about 3 ms each on one core."""


def write_piper(
    folder: Path,
    name: str = "en_US-tiny-low",
    language: str = "en_US",
    *,
    espeak: str = "",
    slow: int = 0,
    draws: bool = True,
    durations: bool = False,
    speakers: int = 1,
    named: dict[str, int] | None = None,
    kind: str = "espeak",
    rate: int = 22_050,
) -> Path:
    """Write ``name.onnx`` and ``name.onnx.json`` into ``folder``; the path of the model.

    ``draws``: whether it draws lots, scaled by the two noises, as real ones do. ``durations``: whether the lengths of
    the sounds are an output, as in models patched for that; their tensor is there in any case.
    """
    folder.mkdir(parents=True, exist_ok=True)
    symbols = ["_", "^", "$", *IPA]
    lengths = [0.4, 12.0, 12.0, *(0.8 * _length(symbol) for symbol in IPA)]
    levels = [0.0, 0.0, 0.0, *map(_level, IPA)]
    hop = 256
    nodes = _lengths_and_levels("input")
    nodes += [
        *_pick("scales", {"noise_scale": 0, "length_scale": 1, "noise_w": 2}),
        *(_node("RandomNormalLike", ["usual"], "lots_w"), _node("Mul", ["lots_w", "noise_w"], "shift")) * draws,
        _node("Exp", ["shift"], "stretched") if draws else _node("Exp", ["zero"], "stretched"),
        _node("Mul", ["usual", "stretched"], "usual_w"),
        _node("Mul", ["usual_w", "length_scale"], "wanted"),
        _node("Unsqueeze", ["wanted", "axis_1"], "wanted_3"),
        _node("Ceil", ["wanted_3"], "w_ceil"),
        _node("Squeeze", ["w_ceil", "axis_1"], "frames"),
    ]
    pitch = [_node("Cast", ["sid"], "speaker", to=TensorProto.FLOAT)] if speakers > 1 else []
    pitch += [
        _node("Mul", ["speaker" if speakers > 1 else "zero", "step"], "raise"),
        _node("Add", ["raise", "low"], "pitch"),
    ]
    nodes += pitch + _hum(hop, rate) + _work(slow, "length_scale")
    if draws:
        nodes += [
            _node("RandomNormalLike", ["worked"], "lots"),
            _node("Mul", ["lots", "noise_scale"], "noise"),
            _node("Add", ["worked", "noise"], "loud"),
        ]
    nodes += [_node("Reshape", ["loud" if draws else "worked", "shape_3"], "output")]
    inputs = [_tensor("input", TensorProto.INT64, [1, "sounds"]), _tensor("input_lengths", TensorProto.INT64, [1])]
    inputs += [_tensor("scales", TensorProto.FLOAT, [3])]
    inputs += [_tensor("sid", TensorProto.INT64, [1])] if speakers > 1 else []
    outputs = [_tensor("output", TensorProto.FLOAT, [1, 1, "samples"])]
    outputs += [_tensor("w_ceil", TensorProto.FLOAT, [1, 1, "sounds"])] if durations else []
    model = folder / f"{name}.onnx"
    _save(model, nodes, inputs, outputs, _constants(lengths, levels, hop, rate, low=110.0, step=25.0))
    settings = {
        "audio": {"sample_rate": rate, "quality": "low"},
        "espeak": {"voice": espeak or ESPEAK.get(language, language.partition("_")[0])},
        "language": {"code": language},
        "inference": {"noise_scale": 0.667, "length_scale": 1, "noise_w": 0.8},
        "phoneme_type": kind,
        "phoneme_map": {},
        "phoneme_id_map": {symbol: [number] for number, symbol in enumerate(symbols)},
        "num_symbols": 256,
        "num_speakers": speakers,
        "speaker_id_map": named or {},
        "hop_length": hop,
    }
    model.with_name(model.name + ".json").write_text(json.dumps(settings), encoding="utf-8")
    return model


def write_kokoro(
    folder: Path,
    *,
    slow: int = 0,
    draws: bool = False,
    durations: bool = False,
    whole_speed: bool = False,
    styles: tuple[str, ...] = KOKORO_STYLES,
    tokens: str = "tokens",
) -> tuple[Path, Path]:
    """Write ``kokoro-tiny.onnx`` and ``voices-tiny.bin`` into ``folder``; their paths.

    The names of the files that are fetched would make them damaged ones: their sizes are known.

    ``draws``: whether it adds noise that nothing switches off. ``whole_speed``: whether its speed is an integer, as in
    some exports. ``tokens``: what its first input is called.
    """
    from kokoro_onnx.config import DEFAULT_VOCAB

    folder.mkdir(parents=True, exist_ok=True)
    size = max(DEFAULT_VOCAB.values()) + 1
    lengths, levels = [24.0] + [1.0] * (size - 1), [0.0] * size
    for symbol, number in DEFAULT_VOCAB.items():
        lengths[number], levels[number] = 2.15 * _length(symbol), _level(symbol)
    hop, rate = 150, 24_000
    nodes = [
        _node("Cast", ["speed"], "factor", to=TensorProto.FLOAT),
        *_lengths_and_levels(tokens),
        _node("Div", ["usual", "factor"], "divided"),
        _node("Round", ["divided"], "rounded"),
        _node("Max", ["rounded", "one"], "frames"),
        _node("Cast", ["frames"], "duration", to=TensorProto.INT64),
        *_pick("style_row", {"pitch": 0}),
        _node("Reshape", ["style", "flat"], "style_row"),
        *_hum(hop, rate),
        *_work(slow, "factor"),
        _node("RandomNormalLike", ["worked"], "lots"),
        _node("Mul", ["lots", "tiny"], "noise"),
        _node("Add", ["worked", "noise" if draws else "zero"], "audio"),
    ]
    if not draws:
        nodes = [node for node in nodes if node.output[0] not in ("lots", "noise")]
    inputs = [
        _tensor(tokens, TensorProto.INT64, [1, "sounds"]),
        _tensor("style", TensorProto.FLOAT, [1, 256]),
        _tensor("speed", TensorProto.INT32 if whole_speed else TensorProto.FLOAT, [1]),
    ]
    outputs = [_tensor("audio", TensorProto.FLOAT, ["samples"])]
    outputs += [_tensor("duration", TensorProto.INT64, [1, "sounds"])] if durations else []
    model, voices = folder / "kokoro-tiny.onnx", folder / "voices-tiny.bin"
    _save(model, _sorted(nodes), inputs, outputs, _constants(lengths, levels, hop, rate, low=0.0, step=0.0))
    pitches = {style: 110.0 + 20.0 * number for number, style in enumerate(styles)}
    with voices.open("wb") as file:
        np.savez_compressed(
            file, **{style: np.full((510, 1, 256), pitch, np.float32) for style, pitch in pitches.items()}
        )
    return model, voices


def _length(symbol: str) -> float:
    """Frames that a symbol lasts."""
    if symbol in ".!?…":
        return 12.0
    if symbol in ",;:":
        return 7.0
    if symbol == " ":
        return 4.2
    # Marks of stress and length: the vowel that they stand at lasts longer.
    # No two sounds are alike, so that rounding to whole frames evens out.
    return (4.0 + ord(symbol[0]) * 7 % 11 / 4) if _sounds(symbol) else 4.2


def _level(symbol: str) -> float:
    """How loud it is: vowels more than consonants, pauses not at all."""
    if not _sounds(symbol):
        return 0.0 if symbol in " .!?…,;:" else 0.2
    return 0.3 if unicodedata.normalize("NFD", symbol)[0] in "aeiouyæøœɐɑɒɔɘəɚɛɜɞɤɨɪɯɵʉʊʌʏᵻAIOWYQ" else 0.15


def _sounds(symbol: str) -> bool:
    return symbol.isalpha() and unicodedata.category(symbol[0]) != "Lm"


def _node(operator: str, inputs: list[str], output: str, **attributes) -> onnx.NodeProto:
    return helper.make_node(operator, inputs, [output], **attributes)


def _tensor(name: str, kind: int, shape: list) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, kind, shape)


def _pick(row: str, wanted: dict[str, int]) -> list[onnx.NodeProto]:
    """Single values of a row."""
    return [
        each
        for name, place in wanted.items()
        for each in (
            _node("Constant", [], f"{name}_at", value=numpy_helper.from_array(np.array([place], np.int64))),
            _node("Gather", [row, f"{name}_at"], name),
        )
    ]


def _lengths_and_levels(sounds: str) -> list[onnx.NodeProto]:
    """``usual`` lengths and ``level``, both [1, N]."""
    return [_node("Gather", ["lengths", sounds], "usual"), _node("Gather", ["levels", sounds], "level")]


def _hum(hop: int, rate: int) -> list[onnx.NodeProto]:
    """From ``frames`` [1, N], ``level`` [1, N] and ``pitch`` [1] to ``hum`` [samples]."""
    return [
        _node("CumSum", ["frames", "axis_at_1"], "ends"),
        _node("ReduceSum", ["frames"], "total", keepdims=0),
        _node("Range", ["zero_0", "total", "one_0"], "clock"),
        _node("Unsqueeze", ["clock", "axis_1"], "clock_column"),
        _node("LessOrEqual", ["ends", "clock_column"], "over"),
        _node("Cast", ["over"], "over_64", to=TensorProto.INT64),
        _node("ReduceSum", ["over_64", "axis_1"], "sounding", keepdims=0),
        _node("Reshape", ["level", "flat"], "level_row"),
        _node("Gather", ["level_row", "sounding"], "loudness"),
        _node("Unsqueeze", ["loudness", "axis_1"], "loudness_column"),
        _node("Mul", ["clock_column", "hop"], "first_sample"),
        _node("Add", ["first_sample", "samples_of_hop"], "sample"),
        _node("Mul", ["sample", "pitch"], "turning"),
        _node("Mul", ["turning", "turn"], "angle"),
        _node("Mul", ["angle", "five"], "angle_5"),
        _node("Sin", ["angle"], "sine"),
        _node("Sin", ["angle_5"], "sine_5"),
        _node("Add", ["sine", "sine_5"], "buzz"),
        _node("Mul", ["buzz", "loudness_column"], "hum_rows"),
        _node("Reshape", ["hum_rows", "flat"], "hum"),
    ]


def _work(slow: int, scale: str) -> list[onnx.NodeProto]:
    """``hum`` becomes ``worked``: the same, after ``slow`` products that nothing can leave out."""
    nodes = [_node("Mul", [scale, "zero"], "nothing")]
    if slow:
        nodes += [
            _node("Constant", [], "side", value=numpy_helper.from_array(np.array([_SIDE, _SIDE], np.int64))),
            _node("ConstantOfShape", ["side"], "blank"),
            _node("EyeLike", ["blank"], "unit", dtype=TensorProto.FLOAT),
            _node("Add", ["blank", "nothing"], "product_0"),
        ]
        for number in range(slow):
            nodes.append(_node("MatMul", [f"product_{number}", "unit"], f"product_{number + 1}"))
        nodes += [_node("ReduceSum", [f"product_{slow}"], "worked_out", keepdims=0)]
    nodes += [_node("Add", ["hum", "worked_out" if slow else "nothing"], "worked")]
    return nodes


def _constants(lengths: list[float], levels: list[float], hop: int, rate: int, *, low: float, step: float) -> dict:
    return {
        "lengths": np.array(lengths, np.float32),
        "levels": np.array(levels, np.float32),
        "hop": np.array([hop], np.float32),
        "samples_of_hop": np.arange(hop, dtype=np.float32).reshape(1, -1),
        "turn": np.array([2 * np.pi / rate], np.float32),
        "low": np.array([low], np.float32),
        "step": np.array([step], np.float32),
        "five": np.array([5.0], np.float32),
        "one": np.array([1.0], np.float32),
        "tiny": np.array([0.001], np.float32),
        "zero": np.array([0.0], np.float32),
        "zero_0": np.array(0.0, np.float32),
        "one_0": np.array(1.0, np.float32),
        "axis_1": np.array([1], np.int64),
        "axis_at_1": np.array(1, np.int64),
        "flat": np.array([-1], np.int64),
        "shape_3": np.array([1, 1, -1], np.int64),
    }


def _sorted(nodes: list[onnx.NodeProto]) -> list[onnx.NodeProto]:
    """Nodes in an order in which each finds its inputs made."""
    made = {name for node in nodes for name in node.output}
    done: set[str] = set()
    row: list[onnx.NodeProto] = []
    rest = list(nodes)
    while rest:
        ready = next(node for node in rest if all(name in done or name not in made for name in node.input))
        rest.remove(ready)
        row.append(ready)
        done.update(ready.output)
    return row


def _save(path: Path, nodes: list, inputs: list, outputs: list, constants: dict) -> None:
    used = {name for node in nodes for name in node.input}
    weights = [numpy_helper.from_array(value, name) for name, value in constants.items() if name in used]
    graph = helper.make_graph(_sorted(nodes), "tiny", inputs, outputs, weights)
    # An old version of the format: every onnxruntime in use reads it.
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 15)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    path.write_bytes(model.SerializeToString())
