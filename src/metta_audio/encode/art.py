"""The cover, drawn by the program: still water, a few rings, the title. The same title gives the same picture."""

from __future__ import annotations

import hashlib
import io
import math
import textwrap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import ImageFont

SIDE = 640
"""Pixels. Art inside a tag should stay at or below 800; 640 shows sharp on a phone and stays under 60 kB."""

QUALITY = 88
"""JPEG quality at which the gradient shows no bands."""

LINES = 3
"""A title longer than three lines is no title on a phone."""

PALETTES = (
    ((24, 40, 66), (92, 122, 148), (240, 228, 206)),
    ((38, 52, 46), (112, 136, 112), (240, 234, 210)),
    ((60, 42, 58), (152, 116, 124), (246, 230, 216)),
    ((30, 54, 60), (104, 142, 140), (236, 236, 216)),
)
"""Deep, middle and light colour of each cover: muted, so that a lit screen at night does not glare."""


def cover(title: str) -> bytes:
    """A square JPEG of ``SIDE`` pixels with ``title`` on it."""
    import numpy as np
    from PIL import Image, ImageDraw

    seed = hashlib.sha256(title.encode()).digest()
    deep, middle, light = (np.array(colour, float) for colour in PALETTES[seed[0] % len(PALETTES)])
    y, x = np.mgrid[0:SIDE, 0:SIDE] / SIDE
    distance = np.hypot(x - 0.5, (y - 0.42) * 1.02)
    rings = 0.5 + 0.5 * np.cos(2 * math.pi * (distance * (7 + seed[1] % 4) - seed[2] / 256))
    fade = np.clip(1 - distance / 0.62, 0, 1) ** 2
    ground = deep + (middle - deep) * (1 - y)[..., None] ** 1.2
    pixels = ground + (light - ground) * (0.35 * rings * fade + 0.25 * fade**3)[..., None]
    image = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8), "RGB")
    draw = ImageDraw.Draw(image)
    lines, font = _fit(title)
    height = font.getbbox("Ag")[3] * 1.25
    top = SIDE * 0.86 - height * len(lines) / 2
    for number, line in enumerate(lines):
        draw.text((SIDE / 2, top + number * height), line, fill=tuple(int(c) for c in light), font=font, anchor="ma")
    out = io.BytesIO()
    image.save(out, "JPEG", quality=QUALITY, optimize=True)
    return out.getvalue()


def _fit(title: str) -> tuple[list[str], ImageFont.FreeTypeFont | ImageFont.ImageFont]:
    """The title in at most three lines, as large as they fit into 86 % of the width."""
    from PIL import ImageFont

    for size in range(46, 18, -4):
        font = ImageFont.load_default(size)
        for columns in range(max(len(title), 1), 7, -1):
            lines = textwrap.wrap(title, columns) or [""]
            if len(lines) > LINES:
                break
            if max(font.getlength(line) for line in lines) <= 0.86 * SIDE:
                return lines, font
    return textwrap.wrap(title, 40)[:LINES], ImageFont.load_default(18)
