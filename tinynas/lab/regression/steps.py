"""What one attempt does on an open board: flash if needed, check, time, classify."""

from __future__ import annotations

import hashlib
from pathlib import Path

from tinynas.errors import FirmwareError
from tinynas.lab.evaluate import predicted_class
from tinynas.lab.measure import output_bytes, require_whole, time_as_asked
from tinynas.lab.regression.attempt import Metrics
from tinynas.lab.regression.package import Package, elf_path, read_check, read_images
from tinynas.lab.replies import MemoryStats
from tinynas.lab.session import BoardSession
from tinynas.lab.steady import Repeats

_WARMUPS = 3  # on real boards and the host


def put_on_board(session: BoardSession, folder: Path, package: Package, image_on_board: str | None) -> bool:
    """Flashes the package in `folder` unless `image_on_board` (its sha256) is that image; True if it flashed.

    Raises:
        LinkError: the board does not answer, or runs another model then.
    """
    flash = image_on_board != package.image_sha256
    hello = session.flash_elf(elf_path(folder)) if flash else session.attach()
    if hello.sha256 != package.model_sha256:
        raise FirmwareError(
            f"wanted model {package.model_sha256[:12]}, the board runs {hello.sha256[:12] or 'none'}; "
            "is another program using this board?"
        )
    return flash


def measure_package(session: BoardSession, folder: Path, package: Package, repeats: int) -> Metrics:
    """Runs the package that is on the board: the seeded check, `repeats` timed inferences, and its images.

    Raises:
        LinkError: as its subclasses say; a real board whose times differ too much is one of them.
    """
    check = read_check(folder)
    found = output_bytes(session.infer(check.inputs))
    stats = require_whole(session.stats())
    timing = time_as_asked(session, Repeats(_WARMUPS, repeats))
    correct, identical = _classify(session, folder) if package.images else (0, 0)
    return Metrics(
        latency_us=timing.latency_us,
        instructions=timing.instructions,
        peak_sram_bytes=_arena_bytes(package, stats) + package.statics_bytes + stats.stack_bytes,
        flash_bytes=package.flash_bytes,
        output_sha256=hashlib.sha256(found).hexdigest(),
        bit_exact=found == check.outputs,
        accuracy=correct / package.images if package.images else None,
        images=package.images,
        images_identical=identical,
    )


def _arena_bytes(package: Package, stats: MemoryStats) -> int:
    return stats.arena_bytes if package.arena_bytes is None else package.arena_bytes


def _classify(session: BoardSession, folder: Path) -> tuple[int, int]:
    """(images classified as labelled, images with the wanted outputs)."""
    images = read_images(folder)
    correct = identical = 0
    for image, label, wanted in zip(images.inputs, images.labels, images.outputs, strict=True):
        outputs = session.infer([image])
        correct += predicted_class(outputs[0], images.threshold) == label
        identical += output_bytes(outputs) == wanted.tobytes()
    return correct, identical
