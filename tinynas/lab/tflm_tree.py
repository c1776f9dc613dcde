"""Upstream's TFLite Micro, as its own create_tflm_tree.py lays it out for other projects to compile."""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path

from tinynas.errors import ToolError
from tinynas.lab.board import Board

ENVIRONMENT = "TINYNAS_TFLM"
_RESOLVER = Path("tensorflow/lite/micro/micro_mutable_op_resolver.h")
_HOW = (
    "make one in a clone of github.com/tensorflow/tflite-micro: python3 "
    'tensorflow/lite/micro/tools/project_generation/create_tflm_tree.py --makefile_options="TARGET=cortex_m_generic '
    'TARGET_ARCH=project_generation OPTIMIZED_KERNEL_DIR=cmsis_nn" DIR; then: export TINYNAS_TFLM=DIR'
)
_INCLUDES = (
    ".",
    "third_party/flatbuffers/include",
    "third_party/gemmlowp",
    "third_party/ruy",
    "third_party/kissfft",
    "third_party/cmsis",
    "third_party/cmsis/CMSIS/Core/Include",
    "third_party/cmsis_nn",
    "third_party/cmsis_nn/Include",
)
_ROOTS = ("tensorflow", "third_party/cmsis_nn/Source")
_LEFT_OUT = {"examples", "testing", "tools", "benchmarks", "python", "integration_tests", "docs"}
_SUFFIXES = {".c", ".cc", ".cpp"}


@dataclass(frozen=True)
class TflmTree:
    """A folder of upstream's sources."""

    root: Path
    cmsis_nn: bool  # its optimised kernels for Cortex-M are there, in place of the reference ones
    sha256: str  # of all sources and headers

    @property
    def includes(self) -> tuple[Path, ...]:
        return tuple(self.root / part for part in _INCLUDES if (self.root / part).is_dir())

    @property
    def defines(self) -> tuple[str, ...]:
        given = ("TF_LITE_STATIC_MEMORY", "TF_LITE_DISABLE_X86_NEON", "TF_LITE_STRIP_ERROR_STRINGS", "NDEBUG")
        return tuple(f"-D{name}" for name in (*given, *(("CMSIS_NN",) if self.cmsis_nn else ())))

    @property
    def sources(self) -> tuple[Path, ...]:
        """What is compiled: no tests, tools or examples."""
        found = [path for part in _ROOTS for path in sorted((self.root / part).rglob("*")) if _counts(path, self.root)]
        return tuple(found)

    def require(self, methods: list[str]) -> None:
        """Raises ToolError if this version's op resolver lacks one of `methods`."""
        known = set(re.findall(r"\bAdd\w+", (self.root / _RESOLVER).read_text("utf-8", "replace")))
        missing = [method for method in methods if method not in known]
        if missing:
            raise ToolError(f"{self.root}: this TFLite Micro has no {', '.join(missing)}; take a newer one")


def find_tree(board: Board, folder: Path | None = None) -> TflmTree:
    """The tree in `folder`, else in $TINYNAS_TFLM.

    Raises:
        ToolError: neither is given, or there is no such tree; says how to make one.
    """
    given = folder or (Path(os.environ[ENVIRONMENT]) if os.environ.get(ENVIRONMENT) else None)
    if given is None:
        raise ToolError(
            f"--runtime tflm on {board.name} needs TFLite Micro's sources, in --tflm or ${ENVIRONMENT}; {_HOW}"
        )
    if not (given / _RESOLVER).is_file():
        raise ToolError(f"{given}: no TFLite Micro there: {_RESOLVER} is missing; {_HOW}")
    return TflmTree(given.resolve(), (given / "third_party" / "cmsis_nn" / "Source").is_dir(), _sha256(given))


def _counts(path: Path, root: Path) -> bool:
    inside = path.relative_to(root)
    return path.suffix in _SUFFIXES and not path.stem.endswith("_test") and not _LEFT_OUT & set(inside.parts)


def _sha256(root: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(path for path in root.rglob("*") if path.suffix in {*_SUFFIXES, ".h", ".hpp"}):
        digest.update(f"{path.relative_to(root)}\0".encode() + path.read_bytes())
    return digest.hexdigest()
