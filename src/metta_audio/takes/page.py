"""Pages made from this package's templates: each is one HTML file that needs nothing else."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Any


def page(template: str, **values: Any) -> str:
    """One of this package's pages, filled in; every value is escaped."""
    text: str = _template(template).render(values)
    return text


@cache
def _template(name: str) -> Any:
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    text = resources.files("metta_audio.takes").joinpath(name).read_text(encoding="utf-8")
    return environment.from_string(text)
