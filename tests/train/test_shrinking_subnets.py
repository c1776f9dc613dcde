"""Subnets are taken out with statistics of the given images, and judged at their own resolution."""

from __future__ import annotations

import numpy as np
import torch

from tests.space.elastic_spaces import tiny_elastic
from tests.train.test_supervised import digit_data, few
from tinynas.data.images import at_resolution
from tinynas.data.types import Split
from tinynas.nets.elastic import ElasticNetwork
from tinynas.train.augment import to_float
from tinynas.train.shrinking_subnets import Subnets, norm_images
from tinynas.train.supervised import accuracy

torch.set_num_threads(1)


def test_norm_images_are_distinct_and_drawn_from_the_seed() -> None:
    train = digit_data().train
    first, again, other = (norm_images(train, 50, seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    order = np.arange(len(train), dtype=np.uint8)[:200]
    numbered = Split(np.repeat(order, 4).reshape(200, 2, 2, 1), train.labels[:200], train.sources[:200])
    drawn = norm_images(numbered, 60, seed=0)[:, 0, 0, 0]
    assert len(set(drawn.tolist())) == 60 and drawn.tolist() != sorted(drawn.tolist())


def test_a_subnet_sees_what_the_board_sees() -> None:
    """At half the data's size: statistics and accuracy are those of the images scaled as for int8."""
    space = tiny_elastic()
    supernet = ElasticNetwork(space, seed=0)
    images, split = norm_images(digit_data().train, 64, seed=0), few(100)
    subnets = Subnets(supernet, images)
    for arch in (space.smallest(), space.largest()):
        spec = space.netspec(arch)
        side = spec.input_shape[0]
        by_hand = supernet.extract(spec, [to_float(torch.from_numpy(at_resolution(images, side)))])
        for key, value in subnets.network(spec).state_dict().items():
            torch.testing.assert_close(value, by_hand.state_dict()[key])
        assert subnets.accuracy(spec, split) == accuracy(by_hand, split)
