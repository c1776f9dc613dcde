"""Whether a library's stages can stand in for those of a reference."""

from __future__ import annotations

from tinynas.errors import ConfigError
from tinynas.space.netspec import NetSpec
from tinynas.space.space import SearchSpace
from tinynas.space.stage import listed


def check_reference(reference: NetSpec, space: SearchSpace) -> None:
    """Raise ConfigError if the space has several widths, or its stages cannot stand in for the reference's."""
    if len(space.widths) != 1:
        raise ConfigError(
            f"a block library needs one width, the space has {len(space.widths)}; choose one of them first"
        )
    _check_ends_are_fixed(space)
    wanted = space.netspec(space.largest())
    for what, mine, theirs in (
        ("stages", len(reference.stages), len(wanted.stages)),
        ("stem channels", reference.stem_channels, wanted.stem_channels),
        ("stem stride", reference.stem_stride, wanted.stem_stride),
        ("head channels", reference.head_channels, wanted.head_channels),
        ("classes", reference.classes, wanted.classes),
        ("input channels", reference.input_shape[2], wanted.input_shape[2]),
        ("stage ends", _ends(reference), _ends(wanted)),
    ):
        if mine != theirs:
            raise ConfigError(f"the reference does not fit the space: {what} {mine}, the space wants {theirs}")


def _check_ends_are_fixed(space: SearchSpace) -> None:
    """Stages can only be exchanged if all options of a stage take and give the same shapes."""
    offered = {f"space.stages[{k}].out_channels": listed(stage.out_channels) for k, stage in enumerate(space.stages)}
    for setting, choices in {**offered, "space.channels": listed(space.channels)}.items():
        if len(choices) > 1:
            raise ConfigError(f"{setting}: a block library needs one number, found {list(choices)}; keep one of them")


def _ends(spec: NetSpec) -> list[tuple[int, int, int]]:
    """(input channels, output channels, stride) of each stage."""
    return [(blocks[0].in_channels, blocks[-1].out_channels, blocks[0].stride) for blocks in spec.stages]
