"""A student stage starts from the reference's weights where shapes allow: far better after one epoch than noise.

Kernels are cropped to their centre (as Once-for-All's, arXiv 1908.09791); of the hidden channels those with the
largest L1 norm in the following 1x1 convolution are kept, in their order; of the blocks the first ones. A fused
inverted residual starts from the product of an inverted one's first two convolutions.
"""

from __future__ import annotations

import torch
from torch import Tensor

from tinynas.nets.layers import ConvBN
from tinynas.nets.network import Block, Layer, Stage
from tinynas.space.parts import CELL_INPUT

_FRESH_GAIN = 0.5  # of the target's spread


def inherit_stage(student: Stage, teacher: Stage) -> None:
    """Copy what fits from `teacher` into `student`, in place; blocks past the teacher's depth keep their weights."""
    with torch.no_grad():
        for mine, theirs in zip(student.blocks(), teacher.blocks(), strict=False):
            if _fits(mine, theirs):
                _inherit_block(mine, theirs)
            elif _fuses(mine, theirs):
                _inherit_fused(mine, theirs)


def match_outputs(stage: Stage, targets: Tensor) -> None:
    """Scale what fresh blocks add to `targets` (n, c, h, w), what the stage shall give.

    The noise-to-signal ratio then starts near 1, not at the square of some chance scale.
    """
    mean, spread = targets.mean((0, 2, 3)), targets.std((0, 2, 3))
    with torch.no_grad():
        for block in stage.blocks():
            block.last.norm.weight.copy_(_FRESH_GAIN * spread)
            if not block.is_sum:
                block.last.norm.bias.copy_(mean)


def _fits(student: Block, teacher: Block) -> bool:
    """Whether the teacher's block holds the student's as a part (a larger kernel, activation and attention apart)."""
    mine, theirs = student.spec, teacher.spec
    alike = (mine.cell, mine.in_channels, mine.out_channels, mine.stride)
    hidden = [block.last.conv.in_channels for block in (student, teacher)]
    return (
        alike == (theirs.cell, theirs.in_channels, theirs.out_channels, theirs.stride)
        and dict(student.convs()).keys() == dict(teacher.convs()).keys()
        and hidden[0] <= hidden[1]
    )


def _inherit_block(student: Block, teacher: Block) -> None:
    """What lies between the input and the last convolution keeps those of its channels that matter most."""
    theirs = dict(teacher.layers())
    hidden = _most_important(teacher.last, student.last.conv.in_channels)
    kept = {CELL_INPUT: torch.arange(student.spec.in_channels)}
    for part in student.parts:
        inputs = kept[part.inputs[0]]
        kept[part.name] = hidden if part.out_channels == len(hidden) else torch.arange(part.out_channels)
        if not part.has_weights or part.name not in theirs:
            continue
        mine = student.layer(part.name)
        if mine is student.last:
            kept[part.name] = torch.arange(part.out_channels)
        elif part.name == "se_reduce":
            kept[part.name] = _most_important(theirs["se_gate"], part.out_channels)
        _copy(mine, theirs[part.name], kept[part.name], torch.arange(1) if part.kind == "depthwise" else inputs)


def _fuses(student: Block, teacher: Block) -> bool:
    """Whether the student's first convolution stands where the teacher has a 1x1 and a depthwise one."""
    mine, theirs = student.spec, teacher.spec
    return (
        (mine.cell, theirs.cell) == ("fused_inverted_residual", "inverted_residual")
        and (mine.in_channels, mine.out_channels, mine.stride)
        == (theirs.in_channels, theirs.out_channels, theirs.stride)
        and teacher.expands
        and mine.hidden_channels <= theirs.hidden_channels
        and mine.kernel <= theirs.kernel
    )


def _inherit_fused(student: Block, teacher: Block) -> None:
    """The product of the teacher's first two convolutions, as if there were no activation between them."""
    expand, depthwise = teacher.conv("expand"), teacher.conv("depthwise")
    kept = _most_important(teacher.last, student.last.conv.in_channels)
    assert expand.norm.running_var is not None
    gain = expand.norm.weight / torch.sqrt(expand.norm.running_var + expand.norm.eps)
    window = _cropped(depthwise.conv.weight, student.spec.kernel) * gain[:, None, None, None]
    fused = student.conv("expand")
    fused.conv.weight.copy_((window * expand.conv.weight)[kept])
    fused.norm.weight.copy_(depthwise.norm.weight[kept])
    fused.norm.bias.copy_(depthwise.norm.bias[kept])
    _copy(student.last, teacher.last, torch.arange(student.spec.out_channels), kept)


def _most_important(layer: Layer, count: int) -> Tensor:
    """Indices of the `count` input channels that a convolution weighs most, ascending."""
    norms = layer.conv.weight.abs().sum((0, 2, 3))
    return norms.topk(count).indices.sort().values


def _copy(student: Layer, teacher: Layer, outputs: Tensor, inputs: Tensor) -> None:
    """The teacher's convolution and BatchNorm, for these output and input channels only, kernel cropped."""
    weight = _cropped(teacher.conv.weight, student.conv.kernel_size[0])
    if weight.shape[2:] != student.conv.weight.shape[2:]:
        return  # a larger kernel than the teacher's has nothing to start from
    student.conv.weight.copy_(weight[outputs][:, inputs])
    if isinstance(student, ConvBN) and isinstance(teacher, ConvBN):
        state = teacher.norm.state_dict()
        student.norm.load_state_dict({key: value[outputs] if value.ndim else value for key, value in state.items()})
    elif student.conv.bias is not None and teacher.conv.bias is not None:
        student.conv.bias.copy_(teacher.conv.bias[outputs])


def _cropped(weight: Tensor, side: int) -> Tensor:
    """The centre (side, side) of kernels (cout, cin, k, k); itself if `side` is not smaller."""
    margin = max(0, (weight.shape[2] - side) // 2)
    return weight[:, :, margin : weight.shape[2] - margin, margin : weight.shape[3] - margin]
