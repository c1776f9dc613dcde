"""A second device without hardware: its tensors hold CPU tensors, but are not mixed with them nor read as arrays.

As on CUDA, an operation on tensors of both devices is an error, but for copies, numbers and indices. The
device is registered for a whole process, so tests do it in one of its own (`emulated`).
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar

import pytest
import torch
from torch import Tensor
from torch.utils import backend_registration
from torch.utils._pytree import tree_flatten, tree_map

from tinynas.distill import entry
from tinynas.train import shrinking, shrinking_subnets, supervised
from tinynas.train.config import HardwareConfig
from tinynas.train.device import CPU, Device

P = ParamSpec("P")
R = TypeVar("R")

NAME = "emulated"
_ALL_OPERATIONS = torch.library.Library("_", "IMPL")  # type: ignore[no-untyped-call]  # kept: what it registers goes when it goes
_COPIES = ("aten::_to_copy", "aten::copy_")
_INDEXING = ("aten::index", "aten::index_put_", "aten::_index_put_impl_")  # CUDA too takes indices that are elsewhere


class Emulated(Tensor):
    """Only torch's dispatcher sees that there is a CPU tensor within."""

    held: Tensor
    __torch_function__ = torch._C._disabled_torch_function_impl  # type: ignore[assignment]

    @staticmethod
    def __new__(cls, held: Tensor) -> Emulated:
        made: Emulated = Tensor._make_wrapper_subclass(
            cls,
            held.size(),
            strides=held.stride(),
            storage_offset=held.storage_offset(),
            dtype=held.dtype,
            device=torch.device(NAME, 0),
        )
        made.held = held
        return made

    @classmethod
    def __torch_dispatch__(cls, operation: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:  # type: ignore[override]
        return _dispatched(operation, *args, **(kwargs or {}))


def _dispatched(operation: Any, *args: Any, **kwargs: Any) -> Any:
    """What the operation gives on the CPU, for emulated tensors or as those."""
    _require_one_device(operation.name().split(".")[0], tree_flatten((args, kwargs))[0])
    held_args, held_kwargs = tree_map(_held, (args, kwargs))
    target = torch.device(held_kwargs.get("device") or NAME)
    if "device" in held_kwargs:
        held_kwargs["device"] = torch.device("cpu")
    result = operation(*held_args, **held_kwargs)
    if target.type != NAME:
        return result
    if held_args and result is held_args[0]:
        return args[0]  # in place
    return tree_map(lambda value: Emulated(value) if isinstance(value, Tensor) else value, result)


def _held(value: Any) -> Any:
    return value.held if isinstance(value, Emulated) else value


def _require_one_device(name: str, values: list[Any]) -> None:
    here = [value for value in values if isinstance(value, Emulated)]
    elsewhere = [v for v in values if isinstance(v, Tensor) and not isinstance(v, Emulated) and v.ndim > 0]
    if here and elsewhere and name not in (*_COPIES, *_INDEXING):
        raise RuntimeError(f"{name}: expected all tensors to be on the same device, found {NAME}:0 and cpu")


@dataclass(frozen=True)
class EmulatedDevice(Device):
    """Takes the place of `Device("cuda", ...)`."""

    def moved(self, batch: Tensor) -> Tensor:
        return batch.to(self.kind)


def emulated(work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """The result of `work` in a process where `HardwareConfig(device="auto")` is the emulated device."""
    if not hasattr(backend_registration, "_setup_privateuseone_for_python_backend"):
        pytest.skip(f"torch {torch.__version__} knows no devices that are written in Python")
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn, initializer=_register) as pool:
        return pool.submit(work, *args, **kwargs).result()


def _register() -> None:
    torch.set_num_threads(1)
    backend_registration._setup_privateuseone_for_python_backend(NAME)
    _ALL_OPERATIONS.fallback(_dispatched, "PrivateUse1")  # type: ignore[no-untyped-call]
    for module in (supervised, shrinking, shrinking_subnets, entry):
        module.open_device = _open  # type: ignore[attr-defined]


def _open(config: HardwareConfig) -> Device:
    """As on a machine with CUDA: the CPU is taken where it is asked for."""
    return CPU if config.device == "cpu" else EmulatedDevice(NAME, half=False, compiled=False)  # type: ignore[arg-type]
