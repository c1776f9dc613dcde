"""Per-op parity: does every op give the TFLite Micro interpreter's bytes?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tinynas.graph.ir import Graph
    from tinynas.lab.board import Board
    from tinynas.plan.plan import Plan

    Int8 = NDArray[np.int8]

SEED = 0  # of the inputs; the same that `tinynas time` compares on


@dataclass(frozen=True)
class OpParity:
    """One output of an op against the interpreter's."""

    op: int  # position in the network as boards run it
    kind: str
    tensor: str
    elements: int
    differing: int  # elements that differ

    @property
    def identical(self) -> bool:
        return self.differing == 0


def interpreter_values(graph: Graph) -> dict[int, Int8]:
    """Every value of one inference on seeded inputs, by tensor index, as TFLite Micro computes it.

    The interpreter is given a copy of the network whose outputs are all its tensors.
    """
    from tinynas.graph.tflite_writer import write_tflite
    from tinynas.graph.tflm import TflmInterpreter
    from tinynas.quantize.seeded import seeded_inputs

    inputs = seeded_inputs(graph, SEED)[0]
    computed = tuple(dict.fromkeys(tensor for op in graph.ops for tensor in op.outputs))
    with TflmInterpreter(write_tflite(replace(graph, outputs=computed))) as interpreter:
        outputs = interpreter.run(inputs)
    return dict(zip((*graph.inputs, *computed), (*inputs, *outputs), strict=True))


def host_parity(plan: Plan) -> Iterator[OpParity]:
    """Every op in its place in the whole network, as this machine's build of the kernels runs it."""
    from tinynas.engine.host import HostModel

    wanted = interpreter_values(plan.graph)
    model = HostModel(plan.graph, plan)
    for found in model.run_per_op([wanted[index] for index in plan.graph.inputs]):
        yield compare(plan.graph, found.op, found.tensor, found.values, wanted)


def compare(graph: Graph, op: int, tensor: int, values: Int8, wanted: Mapping[int, Int8]) -> OpParity:
    """One op's output against the interpreter's value of that tensor."""
    differing = int((values.ravel() != wanted[tensor].ravel()).sum())
    return OpParity(op, graph.ops[op].kind, graph.tensors[tensor].name, values.size, differing)


def alone(graph: Graph, op: int) -> Graph:
    """A network of that op only: what it reads becomes the inputs, what it writes the outputs."""
    only = graph.ops[op]
    values = tuple(i for i in dict.fromkeys(only.inputs) if i >= 0 and not graph.tensors[i].const)
    return replace(graph, ops=(only,), inputs=values, outputs=only.outputs)


def board_parity(plan: Plan, board: Board, port: str | None) -> Iterator[OpParity]:
    """Every op of the planned network in an image of its own, fed with the interpreter's values, run on `board`."""
    from tinynas.engine.generate import generate
    from tinynas.lab.build import build_image
    from tinynas.lab.session import open_board
    from tinynas.plan.planner import plan as make_plan

    wanted = interpreter_values(plan.graph)
    with open_board(board, port=port) as session:
        for op in (step.ops[-1] for step in plan.steps):
            graph = alone(plan.graph, op)
            session.flash(build_image(generate(graph, make_plan(graph, board.core)), board))
            outputs = session.infer([wanted[index] for index in graph.inputs])
            for tensor, values in zip(graph.outputs, outputs, strict=True):
                yield compare(plan.graph, op, tensor, values, wanted)
