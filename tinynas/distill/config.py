"""Settings of a block library; they import without torch."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, NonNegativeFloat, PositiveFloat, PositiveInt


class DistillConfig(BaseModel, frozen=True, extra="forbid"):
    """How every entry is trained."""

    epochs: PositiveInt = 1
    batch_size: PositiveInt = 32  # more, smaller steps: lower ratios at the same cost
    lr: PositiveFloat = 2e-2  # peak of a cosine
    weight_decay: NonNegativeFloat = 0.0
    images: PositiveInt = 8_000  # of the training split at most: their features are kept on disk, some 100 KB each
    inherit: bool = True  # start from the reference's weights where shapes allow
    backend: Literal["local", "ray"] = "local"  # this machine's processes, or a Ray cluster (tinynas.distill.parallel)

    def deciding(self) -> dict[str, Any]:
        """The settings that decide what comes out: not who computes it."""
        return self.model_dump(mode="json", exclude={"backend"})
