"""The generated C: what it contains, and that two models live in one program."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.engine.cases import Net
from tinynas.engine.c_text import string_literal, struct_text
from tinynas.engine.compile_host import host_compiler
from tinynas.engine.generate import Generated, generate
from tinynas.engine.host import HostModel
from tinynas.errors import ModelError
from tinynas.graph import ops
from tinynas.graph.ir import Graph
from tinynas.lab.board import Core
from tinynas.plan.planner import plan
from tinynas.quantize.seeded import seeded_inputs
from tinynas.resources import resource

ENGINE = resource("firmware") / "engine"


def two_ops(seed: int, channels: int) -> Graph:
    net = Net(np.random.default_rng(seed))
    x = net.input((1, 5, 4, 3), 0.05, 7)
    weights = net.weights((channels, 3, 3, 3), 0)
    y = net.tensor((1, 5, 4, channels), 0.4, -9)
    net.op("CONV_2D", [x, weights, net.bias(weights, x, channels)], y, ops.Conv2D())
    z = net.output((1, 5, 4, channels), 0.3, -128)
    net.op("RELU", [y], z)
    return net.graph()


def generated(graph: Graph, name: str = "main") -> Generated:
    return generate(graph, plan(graph, Core.HOST), name)


def test_one_graph_gives_the_same_text_twice() -> None:
    assert generated(two_ops(1, 4)) == generated(two_ops(1, 4))


def test_what_is_generated() -> None:
    made = generated(two_ops(1, 4), "pets")
    assert made.name == "pets" and set(made.files) == {"model.c", "model.h"}
    assert made.kernels == ("tn_conv_s8.c", "tn_lut_s8.c")
    assert b"const tn_model tn_model_pets = " in made.files["model.c"]
    assert f"#define TN_PETS_ARENA_BYTES {made.arena_bytes}".encode() in made.files["model.h"]


def test_a_weightless_graph_cannot_be_generated() -> None:
    graph = two_ops(1, 4)
    tensors = tuple(replace(t, data=None) for t in graph.tensors)
    weightless = replace(graph, tensors=tensors)
    with pytest.raises(ModelError, match="'w1' has no data; bind weights"):
        generate(weightless, plan(weightless, Core.HOST))


@pytest.mark.parametrize("name", ["", "2nd", "my-model", "a b"])
def test_a_name_must_be_a_c_identifier(name: str) -> None:
    with pytest.raises(ModelError, match="wanted a C identifier"):
        generated(two_ops(1, 4), name)


@given(st.binary(min_size=1, max_size=300))
def test_string_literals_hold_any_bytes(data: bytes) -> None:
    """Read back by Python, whose octal escapes are C's."""
    lines = string_literal(data).splitlines()
    assert b"".join(line[1:-1].encode().decode("unicode_escape").encode("latin-1") for line in lines) == data
    assert all(line[0] == line[-1] == '"' and "??" not in line for line in lines)


def test_structs_nest() -> None:
    assert struct_text({"a": 1, "b": (2, 3), "c": {"d": "x"}}) == "{.a = 1, .b = {2, 3}, .c = {.d = x}}"


MAIN = """
#include <stdio.h>
#include "cats/model.h"
#include "dogs/model.h"

static _Alignas(TN_ARENA_ALIGN) uint8_t arena[2][TN_CATS_ARENA_BYTES > TN_DOGS_ARENA_BYTES ? TN_CATS_ARENA_BYTES
                                                                                          : TN_DOGS_ARENA_BYTES];

int main(void) {
  const tn_model *models[] = {&tn_model_cats, &tn_model_dogs};
  for (int i = 0; i < 2; ++i) {
    const tn_model *m = models[i];
    fread(arena[i] + m->inputs[0].offset, 1, m->inputs[0].bytes, stdin);
  }
  for (int i = 0; i < 2; ++i) models[i]->invoke(arena[i], 0, 0);
  for (int i = 0; i < 2; ++i) fwrite(arena[i] + models[i]->outputs[0].offset, 1, models[i]->outputs[0].bytes, stdout);
  return 0;
}
"""


def test_two_models_in_one_program(tmp_path: Path) -> None:
    graphs = {"cats": two_ops(1, 4), "dogs": two_ops(2, 9)}
    made = {name: generated(graph, name) for name, graph in graphs.items()}
    for name, model in made.items():
        (tmp_path / name).mkdir()
        for file, content in model.files.items():
            (tmp_path / name / file).write_bytes(content)
    (tmp_path / "main.c").write_text(MAIN)
    kernels = {ENGINE / "src" / source for model in made.values() for source in model.kernels}
    sources = [tmp_path / "main.c", *(tmp_path / name / "model.c" for name in made), *kernels]
    flags = ["-std=c11", "-Wall", "-Wextra", "-Wconversion", "-Werror", f"-I{ENGINE / 'include'}"]
    subprocess.run([host_compiler(), *flags, *map(str, sources), "-o", str(tmp_path / "pair")], check=True)
    inputs = [seeded_inputs(graph, 3)[0] for graph in graphs.values()]
    fed = b"".join(x[0].tobytes() for x in inputs)
    result = subprocess.run([str(tmp_path / "pair")], input=fed, capture_output=True, check=True)
    wanted = [HostModel(g).run(x)[0].tobytes() for g, x in zip(graphs.values(), inputs, strict=True)]
    assert result.stdout == b"".join(wanted)
