"""What the Helium kernels share: the stream of weights and constants that they read (see tn_mve_gemm.h)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from tinynas.plan.kernels import Array, Value
from tinynas.plan.window import Window

LANES = 16  # int8 in a vector
GROUP = 4  # filters
FEW_ROWS = 24  # TN_MVE_FEW_ROWS
BLOCK_ROWS = 3
GEMM_SOURCES = ("tn_mve_gemm.c", "tn_mve_gemm_row.c", "tn_mve_gemm_rows3.c", "tn_mve_gemm_few.c")
RELU, SIGNED, LEFT = 0, 1, 2  # TN_MVE_RELU, ...


def round_up(n: int, multiple: int) -> int:
    """The next multiple."""
    return -(-n // multiple) * multiple


def stream_array(filters: int, n: int) -> Array:
    """Layout of the stream of a matrix."""
    group_bytes = 4 * round_up(n, LANES) + 36
    return Array("stream", "int8_t", round_up(filters, GROUP) // GROUP * group_bytes)


def stream(values: Mapping[str, Value], filters: NDArray[np.int8]) -> NDArray[np.int8]:
    """Weights (filters, n) and the constants of `values`, group by group, as tn_mve_gemm.h orders them."""
    count, n = round_up(len(filters), GROUP), round_up(filters.shape[1], LANES)
    padded = np.zeros((count, n), np.int8)
    padded[: filters.shape[0], : filters.shape[1]] = filters
    # (groups, filter // 2, filter % 2, vectors, lanes)
    weights = padded.reshape(-1, 2, 2, n // LANES, LANES)
    halves = [_bytes(weights[:, :, half].transpose(0, 2, 1, 3)) for half in (0, 1)]
    bias = _bytes(_per_filter(values["bias"], count, len(filters), "<i4").reshape(-1, GROUP))
    multiplier = _bytes(_per_filter(values["multiplier"], count, len(filters), "<i4").reshape(-1, GROUP))
    shift = _bytes(_per_filter(values["shift"], count, len(filters), "i1").reshape(-1, GROUP))
    return np.concatenate([*halves, bias, multiplier, shift], axis=1).reshape(-1)


def _per_filter(values: Value, count: int, filters: int, dtype: str) -> NDArray[np.generic]:
    """`values`, one per filter or one for all, filled up with zeros."""
    padded = np.zeros(count, dtype)
    padded[:filters] = np.asarray(values)
    return padded


def _bytes(rows: NDArray[np.generic]) -> NDArray[np.int8]:
    """(rows, bytes of each)."""
    return np.ascontiguousarray(rows).reshape(len(rows), -1).view(np.int8)


def matrix(values: Mapping[str, Value], filters: NDArray[np.int8]) -> dict[str, Value]:
    """Fields of tn_mve_matrix; `filters` is (filters, n)."""
    return {
        "n": filters.shape[1],
        "filters": len(filters),
        "out_zp": values["out_zp"],
        "act_min": values["act_min"],
        "act_max": values["act_max"],
        "rounding": rounding(values),
    }


def rounding(values: Mapping[str, Value]) -> int:
    """The least work that is exact, see tn_mve.h."""
    act_min, out_zp = values["act_min"], values["out_zp"]
    assert isinstance(act_min, int) and isinstance(out_zp, int)
    if np.max(np.asarray(values["shift"]), initial=0) > 0:
        return LEFT
    return RELU if act_min == out_zp else SIGNED


def block_lead_bytes(window: Window, pixels: int, *, gathered: bool) -> int:
    """Least distance of the output before the input if `pixels` at a time are written.

    `gathered`: their windows are all read before, else they are still needed until the last of them is written.
    """
    (_, in_w, in_c), (out_h, out_w, out_c) = window.in_shape, window.out_shape
    top = np.maximum(np.arange(out_h) * window.stride[0] - window.pad[0], 0)
    left = np.maximum(np.arange(out_w) * window.stride[1] - window.pad[1], 0)
    first_read = ((top[:, None] * in_w + left[None, :]) * in_c).ravel()
    still_needed = np.minimum.accumulate(first_read[::-1])[::-1]
    lead = 0
    for first in range(0, out_h * out_w, pixels):
        end = min(first + pixels, out_h * out_w)
        needed = end if gathered else first
        if needed < out_h * out_w:
            lead = max(lead, end * out_c - int(still_needed[needed]))
    return lead
