"""What a student stage takes over from the reference."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from tests.nets.test_network import with_lively_norms
from tinynas.distill.inherit import inherit_stage
from tinynas.nets.network import Network, Stage, build_network
from tinynas.space.blocks import StageOption, stage_blocks
from tinynas.space.cell import cells, parts_of
from tinynas.space.mobilenet import inverted_residuals
from tinynas.space.netspec import BlockSpec, NetSpec


def stage_of(seed: int, depth: int = 2, kernel: int = 5, expand: float = 3.0) -> Stage:
    blocks = inverted_residuals(8, 16, 2, depth=depth, kernel=kernel, expand_ratio=expand)
    network: Network = build_network(NetSpec((16, 16, 1), 2, 8, 1, (blocks,), 0), seed)
    stage = with_lively_norms(network, seed).stages[0]
    assert isinstance(stage, Stage)
    return stage


def lively_stage(option: StageOption, seed: int) -> Stage:
    network = build_network(NetSpec((16, 16, 1), 2, 8, 1, (stage_blocks(8, 16, 2, option),), 0), seed)
    stage = with_lively_norms(network, seed).stages[0]
    assert isinstance(stage, Stage)
    return stage


def outputs(stage: Stage) -> torch.Tensor:
    with torch.no_grad():
        result: torch.Tensor = stage.eval()(torch.rand(2, 8, 16, 16, generator=torch.Generator().manual_seed(0)))
    return result


def test_equal_stages_become_equal() -> None:
    student, teacher = stage_of(1), stage_of(2)
    inherit_stage(student, teacher)
    assert torch.equal(outputs(student), outputs(teacher))


def test_cropped_kernels_equal_a_teacher_whose_rims_are_zero() -> None:
    student, teacher = stage_of(1, kernel=3), stage_of(2)
    with torch.no_grad():
        for block in teacher.blocks():
            weight = block.conv("depthwise").conv.weight
            centre = weight[:, :, 1:-1, 1:-1].clone()
            weight.zero_()
            weight[:, :, 1:-1, 1:-1] = centre
    inherit_stage(student, teacher)
    torch.testing.assert_close(outputs(student), outputs(teacher))


def test_dropped_channels_are_those_without_weight() -> None:
    """A teacher that projects only 16 of its 24 hidden channels is copied exactly by a student that has 16."""
    student, teacher = stage_of(1, depth=1, expand=2.0), stage_of(2, depth=1)
    with torch.no_grad():
        for block in teacher.blocks():
            block.conv("project").conv.weight[:, ::3] = 0
    inherit_stage(student, teacher)
    torch.testing.assert_close(outputs(student), outputs(teacher))


def has_attention(cell: str) -> bool:
    return any(part.kind == "mul" for part in parts_of(BlockSpec(8, 24, 16, 3, 2, "relu", cell, "squeeze_excite")))


@pytest.mark.parametrize("cell", [name for name in sorted(cells()) if has_attention(name)])
def test_attention_and_hidden_channels_of_every_cell(cell: str) -> None:
    """A teacher that ignores its last hidden and squeezed channels is copied exactly by a student without them."""
    option = StageOption(2, 3, 3.0, cell, "hard_swish", "squeeze_excite", 16)
    student, teacher = (lively_stage(replace(option, expand_ratio=ratio), seed=7) for ratio in (2.0, 3.0))
    with torch.no_grad():
        for mine, theirs in zip(student.blocks(), teacher.blocks(), strict=True):
            for part in (theirs.last, theirs.layer("se_reduce")):
                part.conv.weight[:, mine.last.conv.in_channels :] = 0
            theirs.layer("se_gate").conv.weight[:, mine.layer("se_gate").conv.in_channels :] = 0
    inherit_stage(student, teacher)
    torch.testing.assert_close(outputs(student), outputs(teacher))


def test_other_activations_and_attention_take_over_what_they_share() -> None:
    """All convolutions; what only the student has keeps its weights."""
    teacher = lively_stage(StageOption(1, 3, 3.0, "inverted_residual", "relu6", "none", 16), seed=1)
    student = lively_stage(StageOption(1, 3, 3.0, "inverted_residual", "hard_swish", "squeeze_excite", 16), seed=2)
    fresh = {name: value.clone() for name, value in student.state_dict().items()}
    inherit_stage(student, teacher)
    theirs = teacher.state_dict()
    for name, value in student.state_dict().items():
        assert torch.equal(value, theirs.get(name, fresh[name])), name


def test_a_fused_block_starts_as_the_product_of_two_convolutions() -> None:
    """Equal, but for BatchNorm's epsilon, where the activation between them changes nothing and nothing is padded."""
    teacher = lively_stage(StageOption(1, 1, 3.0, "inverted_residual", "relu6", "none", 16), seed=1).train()
    student = lively_stage(StageOption(1, 1, 3.0, "fused_inverted_residual", "relu6", "none", 16), seed=2).train()
    with torch.no_grad():
        for block in teacher.blocks():
            block.conv("expand").norm.weight.copy_(torch.rand(24) * 0.2 + 0.3)
            block.conv("depthwise").conv.weight.sign_()
            block.conv("expand").norm.bias.fill_(3)  # in the middle of what relu6 lets through
    inherit_stage(student, teacher)
    x = 4 * torch.rand(8, 8, 16, 16, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(student(x), teacher(x), atol=2e-3, rtol=0)
    assert teacher(x).std() > 0.3


def test_what_does_not_fit_keeps_its_weights() -> None:
    """Wider than the teacher: nothing is copied; deeper: the further blocks are left alone."""
    wider, before = stage_of(1, expand=4.0), stage_of(1, expand=4.0)
    inherit_stage(wider, stage_of(2))
    assert torch.equal(outputs(wider), outputs(before))
    deeper, fresh = stage_of(1, depth=2), stage_of(1, depth=2)
    inherit_stage(deeper, stage_of(2, depth=1))
    assert torch.equal(deeper[1].state_dict()["project.conv.weight"], fresh[1].state_dict()["project.conv.weight"])
    assert not torch.equal(deeper[0].state_dict()["project.conv.weight"], fresh[0].state_dict()["project.conv.weight"])
