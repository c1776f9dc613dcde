"""Networks as plain arrays in one .npz: nothing in it is executed on loading."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tinynas.data.arrays import load_arrays, save_arrays
from tinynas.errors import ModelError
from tinynas.nets.network import Network
from tinynas.space.netspec import BlockSpec, NetSpec

_SPEC = "netspec"  # key of the JSON beside the tensors


def spec_to_json(spec: NetSpec) -> str:
    """`spec` as JSON; `spec_from_json` undoes it."""
    return json.dumps(asdict(spec), sort_keys=True)


def spec_from_json(text: str) -> NetSpec:
    """The NetSpec of a JSON text. Raises ValueError, KeyError or TypeError if it is none."""
    fields: dict[str, Any] = json.loads(text)
    stages = tuple(tuple(BlockSpec(**block) for block in stage) for stage in fields.pop("stages"))
    return NetSpec(input_shape=tuple(fields.pop("input_shape")), stages=stages, **fields)


def load_checkpoint(path: Path) -> dict[str, NDArray[Any]]:
    """The arrays of a checkpoint. Raises ModelError if it is missing or damaged."""
    return load_arrays(path, ModelError, "train it again or give another file")


def tensors_of(state: Mapping[str, Tensor], prefix: str = "") -> dict[str, NDArray[Any]]:
    """A state_dict as arrays on the CPU, keys prefixed."""
    return {prefix + key: value.detach().cpu().contiguous().numpy() for key, value in state.items()}


def state_of(arrays: Mapping[str, NDArray[Any]], prefix: str = "") -> dict[str, Tensor]:
    """The inverse of `tensors_of`: entries with the prefix, prefix removed."""
    return {key.removeprefix(prefix): torch.from_numpy(a.copy()) for key, a in arrays.items() if key.startswith(prefix)}


def save_network(path: Path, network: Network) -> None:
    """Weights, BatchNorm statistics and NetSpec of `network`."""
    save_arrays(path, {_SPEC: np.array(spec_to_json(network.spec)), **tensors_of(network.state_dict())})


def load_network(path: Path) -> Network:
    """The network in `path`, in evaluation mode. Raises ModelError if the file is none of ours or does not match."""
    arrays = load_checkpoint(path)
    try:
        spec = spec_from_json(str(arrays.pop(_SPEC)))
        network = Network(spec)
        network.load_state_dict(state_of(arrays))
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise ModelError(f"{path}: not a tinynas checkpoint ({error})") from error
    return network.eval()
