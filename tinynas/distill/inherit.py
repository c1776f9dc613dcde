"""A student stage starts from the reference's weights where shapes allow: far better after one epoch than noise.

Kernels are cropped to their centre (as Once-for-All's, arXiv 1908.09791); of the hidden channels those with the
largest L1 norm in the following 1x1 convolution are kept, in their order; of the blocks the first ones.
"""

from __future__ import annotations

import torch
from torch import Tensor

from tinynas.nets.layers import ConvBN
from tinynas.nets.network import InvertedResidual, Stage


def inherit_stage(student: Stage, teacher: Stage) -> None:
    """Copy what fits from `teacher` into `student`, in place; blocks past the teacher's depth keep their weights."""
    with torch.no_grad():
        for mine, theirs in zip(student.blocks(), teacher.blocks(), strict=False):
            _inherit_block(mine, theirs)


def _inherit_block(student: InvertedResidual, teacher: InvertedResidual) -> None:
    mine, theirs = student.spec, teacher.spec
    same_ends = (mine.in_channels, mine.out_channels, mine.stride) == (
        theirs.in_channels, theirs.out_channels, theirs.stride,
    )  # fmt: skip
    expands_alike = (student.expand is None) == (teacher.expand is None)
    if not same_ends or not expands_alike or mine.hidden_channels > theirs.hidden_channels:
        return
    kept = _most_important(teacher, mine.hidden_channels)
    everything = torch.arange
    if student.expand is not None and teacher.expand is not None:
        _copy(student.expand, teacher.expand, kept, everything(theirs.in_channels))
    _copy(student.depthwise, teacher.depthwise, kept, everything(1))
    _copy(student.project, teacher.project, everything(theirs.out_channels), kept)


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
