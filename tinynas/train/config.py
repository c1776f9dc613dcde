"""Settings of a training; they import without torch."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field, NonNegativeFloat, PositiveFloat, PositiveInt


class AugmentConfig(BaseModel, frozen=True, extra="forbid"):
    """How much training images vary; zeros and False leave them as they are."""

    mirror: bool = True  # left-right, every other image
    shift: Annotated[float, Field(ge=0, lt=0.5)] = 0.08  # of the side, up to this much in each direction; edges repeat
    brightness: NonNegativeFloat = 0.1  # added, up to this much of the full range
    contrast: Annotated[float, Field(ge=0, lt=1)] = 0.2  # factor within 1 +- this, about mid grey


class TrainConfig(BaseModel, frozen=True, extra="forbid"):
    """One training: AdamW on shuffled batches."""

    epochs: PositiveInt = 10
    batch_size: PositiveInt = 32
    lr: PositiveFloat = 4e-3  # peak, after the warm-up
    weight_decay: NonNegativeFloat = 1e-2  # decoupled (arXiv 1711.05101); not on BatchNorm and biases
    warmup_epochs: NonNegativeFloat = 1.0
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.0
    soft_weight: Annotated[float, Field(ge=0, le=1)] = (
        0.5  # share of the teacher's soft targets in the loss, if there is one
    )
    temperature: PositiveFloat = 2.0  # of the soft targets
    augment: AugmentConfig = AugmentConfig()


class HardwareConfig(BaseModel, frozen=True, extra="forbid"):
    """What trainings run on. Results differ by rounding only, so no kept work is thrown away when this changes."""

    device: Literal["auto", "cpu", "cuda"] = "auto"  # auto: CUDA where there is some
    bfloat16: Literal["auto", "on", "off"] = "auto"  # autocast; auto: on CUDA devices that have it
    compile: bool = False  # torch.compile: about a minute of compilation per network, so for long trainings


CPU_ONLY = HardwareConfig(device="cpu")  # what functions take where nothing is said
