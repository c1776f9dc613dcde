"""What is built for a case: image, inputs and wanted outputs, in a folder that may go to another machine."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ValidationError

import tinynas
from tinynas.errors import ConfigError, StoreError
from tinynas.graph.ir import Graph
from tinynas.graph.tflite_reader import read_tflite
from tinynas.graph.tflm import TflmInterpreter, TflmWorker
from tinynas.lab.board import Board
from tinynas.lab.build import Image
from tinynas.lab.evaluate import pixels_to_int8, second_class_from
from tinynas.lab.measure import SEED, Runtime, build_model
from tinynas.lab.tflm_measure import tflm_image
from tinynas.plan.planner import plan
from tinynas.quantize.seeded import seeded_inputs

Int8 = NDArray[np.int8]
_ABOUT, _ELF, _CHECK, _IMAGES = "package.json", "firmware.elf", "check.npz", "images.npz"


@dataclass(frozen=True)
class Labelled:
    """Images for the accuracy."""

    images: NDArray[np.uint8]  # [n, h, w, c]
    labels: NDArray[np.int64]  # [n]


class Package(BaseModel, frozen=True, extra="forbid"):
    """A built image and what is known of it before it runs."""

    model: str
    model_sha256: str
    board: str
    kind: Literal["virtual", "hardware", "host"]  # of board
    runtime: Runtime
    tinynas: str  # version
    toolchain: str
    firmware_hash: str  # of everything linked in but the model
    image_sha256: str  # of the ELF file
    flash_bytes: int | None  # None on the host
    statics_bytes: int  # .data + .bss of model and engine
    arena_bytes: int | None  # None: the interpreter on the board says how much it uses
    macs: int
    images: int  # labelled ones for the accuracy; 0: not asked for


@dataclass(frozen=True)
class Check:
    """One seeded inference: what goes in, and TFLite Micro's answer."""

    inputs: tuple[Int8, ...]
    outputs: bytes  # end to end, in model order


@dataclass(frozen=True)
class ImageCheck:
    """Images as the model's int8 inputs, their labels, and TFLite Micro's answers."""

    inputs: Int8  # [n, 1, h, w, c]
    labels: NDArray[np.int64]  # [n]
    outputs: NDArray[np.int8]  # [n, bytes of all outputs]
    threshold: float  # int8 value of real 0.5 at the first output


def build_package(
    name: str,
    model: bytes,
    board: Board,
    runtime: Runtime,
    folder: Path,
    interpreter: TflmWorker,
    labelled: Labelled | None,
) -> Package:
    """Builds model `name` for `board` into `folder`, which appears whole or not at all.

    Raises:
        ModelError, FitError: the model cannot run there.
        ToolError, StoreError: compiler or disk failed.
    """
    folder = folder.resolve()  # the linker runs in a folder of its own
    folder.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".new-"))
    try:
        with TflmInterpreter(model, worker=interpreter) as reference:
            built = _build(name, model, board, runtime, made, reference)
            _save_check(built.graph, reference, made)
            if labelled is not None:
                _save_images(built.graph, reference, labelled, made)
        image = built.image
        package = Package(
            model=name,
            model_sha256=hashlib.sha256(model).hexdigest(),
            board=board.name,
            kind=board.kind,
            runtime=runtime,
            tinynas=tinynas.__version__,
            toolchain=image.toolchain,
            firmware_hash=image.firmware_hash,
            image_sha256=image.sha256,
            flash_bytes=image.flash_bytes or None,
            statics_bytes=image.statics_bytes,
            arena_bytes=image.arena_bytes if runtime == "engine" else None,
            macs=built.macs,
            images=0 if labelled is None else len(labelled.labels),
        )
        (made / _ABOUT).write_text(package.model_dump_json(indent=1) + "\n")
        shutil.rmtree(folder, ignore_errors=True)
        made.chmod(0o755)
        made.rename(folder)
    except OSError as error:
        raise StoreError(f"{folder}: cannot be written: {error.strerror}; free some space and run it again") from error
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return package


@dataclass(frozen=True)
class _Built:
    graph: Graph
    image: Image
    macs: int


def _build(name: str, model: bytes, board: Board, runtime: Runtime, folder: Path, reference: TflmInterpreter) -> _Built:
    if runtime == "engine":
        built = build_model(model, board, folder, called=name)
        return _Built(built.graph, built.image, built.plan.macs)
    graph = read_tflite(model)
    image = tflm_image(model, board, reference.arena_used_bytes, folder)
    return _Built(graph, image, plan(graph, board.core).macs)


def read_package(folder: Path) -> Package:
    """What was built into `folder`, checked to be whole.

    Raises:
        ConfigError: nothing was built there, or the image is another one.
    """
    try:
        package = Package.model_validate_json((folder / _ABOUT).read_bytes())
        found = hashlib.sha256(elf_path(folder).read_bytes()).hexdigest()
    except (OSError, ValidationError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a package of this version"
        raise ConfigError(f"{folder}: {reason}; build it with: tinynas lab run SUITE --build-only") from error
    if found != package.image_sha256:
        raise ConfigError(
            f"{elf_path(folder)}: sha256 {found[:12]}, its package says {package.image_sha256[:12]}; build it again"
        )
    return package


def elf_path(folder: Path) -> Path:
    """The image of the package in `folder`."""
    return folder / _ELF


def read_check(folder: Path) -> Check:
    """Seeded inputs and wanted outputs of the package in `folder`."""
    with np.load(folder / _CHECK, allow_pickle=False) as data:
        inputs = tuple(data[f"input{k}"] for k in range(len(data.files) - 1))
        return Check(inputs, data["outputs"].tobytes())


def read_images(folder: Path) -> ImageCheck:
    """Images, labels and wanted outputs of the package in `folder`."""
    with np.load(folder / _IMAGES, allow_pickle=False) as data:
        return ImageCheck(data["inputs"], data["labels"], data["outputs"], float(data["threshold"]))


def _save_check(graph: Graph, reference: TflmInterpreter, folder: Path) -> None:
    inputs = seeded_inputs(graph, SEED)[0]
    arrays: dict[str, Any] = {f"input{k}": array for k, array in enumerate(inputs)}
    outputs = np.concatenate([output.reshape(-1) for output in reference.run(inputs)])
    np.savez(folder / _CHECK, outputs=outputs, **arrays)


def _save_images(graph: Graph, reference: TflmInterpreter, labelled: Labelled, folder: Path) -> None:
    inputs = pixels_to_int8(labelled.images, labelled.labels, graph)[:, np.newaxis]
    outputs = [output.reshape(len(inputs), -1) for output in reference.run_many([inputs])]
    joined, threshold = np.concatenate(outputs, axis=1), np.float64(second_class_from(graph))
    np.savez(folder / _IMAGES, inputs=inputs, labels=labelled.labels, outputs=joined, threshold=threshold)
