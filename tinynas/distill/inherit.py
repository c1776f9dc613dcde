"""A student stage starts from the reference's weights where shapes allow: far better after one epoch than noise.

Kernels are cropped to their centre (as Once-for-All's, arXiv 1908.09791); of the hidden channels those with the
largest L1 norm in the following 1x1 convolution are kept, in their order; of the blocks the first ones.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from tinynas.nets.layers import ConvBN
from tinynas.nets.network import InvertedResidual, Stage
from tinynas.space.netspec import BlockSpec

_FRESH_GAIN = 0.5  # of the target's spread


def inherit_stage(student: Stage, teacher: Stage) -> None:
    """Copy what fits from `teacher` into `student`, in place; blocks past the teacher's depth keep their weights."""
    with torch.no_grad():
        for mine, theirs in zip(student.blocks(), teacher.blocks(), strict=False):
            if _fits(mine.spec, theirs.spec):
                _inherit_block(mine, theirs)


def match_outputs(stage: Stage, targets: Tensor) -> None:
    """Scale what fresh blocks add to `targets` (n, c, h, w), what the stage shall give.

    The noise-to-signal ratio then starts near 1, not at the square of some chance scale.
    """
    mean, spread = targets.mean((0, 2, 3)), targets.std((0, 2, 3))
    with torch.no_grad():
        for block in stage.blocks():
            block.project.norm.weight.copy_(_FRESH_GAIN * spread)
            if not block.spec.residual:
                block.project.norm.bias.copy_(mean)


def _fits(student: BlockSpec, teacher: BlockSpec) -> bool:
    """Whether the teacher's block holds the student's as a part (a larger kernel apart)."""
    same_ends = replace(teacher, hidden_channels=student.hidden_channels, kernel=student.kernel) == student
    expands = [block.hidden_channels != block.in_channels for block in (student, teacher)]
    return same_ends and expands[0] == expands[1] and student.hidden_channels <= teacher.hidden_channels


def _inherit_block(student: InvertedResidual, teacher: InvertedResidual) -> None:
    kept = _most_important(teacher, student.spec.hidden_channels)
    everything = torch.arange
    if student.expand is not None and teacher.expand is not None:
        _copy(student.expand, teacher.expand, kept, everything(student.spec.in_channels))
    _copy(student.depthwise, teacher.depthwise, kept, everything(1))
    _copy(student.project, teacher.project, everything(student.spec.out_channels), kept)


def _most_important(teacher: InvertedResidual, count: int) -> Tensor:
    """Indices of the `count` hidden channels that the projection weighs most, ascending."""
    norms = teacher.project.conv.weight.abs().sum((0, 2, 3))
    return norms.topk(count).indices.sort().values


def _copy(student: ConvBN, teacher: ConvBN, outputs: Tensor, inputs: Tensor) -> None:
    """The teacher's convolution and BatchNorm, for these output and input channels only, kernel cropped."""
    weight = _cropped(teacher.conv.weight, student.conv.kernel_size[0])
    if weight.shape[2:] != student.conv.weight.shape[2:]:
        return  # a larger kernel than the teacher's has nothing to start from
    student.conv.weight.copy_(weight[outputs][:, inputs])
    state = teacher.norm.state_dict()
    picked = {key: value[outputs] if value.ndim else value for key, value in state.items()}
    student.norm.load_state_dict(picked)


def _cropped(weight: Tensor, side: int) -> Tensor:
    """The centre (side, side) of kernels (cout, cin, k, k); itself if `side` is not smaller."""
    margin = max(0, (weight.shape[2] - side) // 2)
    return weight[:, :, margin : weight.shape[2] - margin, margin : weight.shape[3] - margin]
