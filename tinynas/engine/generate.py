"""Prints a `Plan` as C: model.c and model.h, with every shape, offset and constant fixed at compile time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Generated:
    """Sources of one model. `files` go into one folder; `kernels` are the engine sources to link with them."""

    name: str  # the model is `const tn_model tn_model_<name>`
    files: Mapping[str, bytes]  # file name -> content; *.c and *.S are compiled
    kernels: tuple[str, ...]  # file names in firmware/engine/src
    arena_bytes: int
