"""The registry of kernels, and what it claims about the C."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from tests.engine.cases import graphs
from tests.engine.test_parity import CASES
from tinynas.graph.ir import Graph
from tinynas.lab.board import Core
from tinynas.plan.fusion import called_op
from tinynas.plan.kernels import CORE_ISAS, choose, kernel, kernels, register
from tinynas.resources import resource

ENGINE = resource("firmware") / "engine"


@pytest.mark.parametrize("name", list(kernels()))
def test_every_kernel_has_its_file_and_declaration(name: str) -> None:
    found = kernel(name)
    assert all((ENGINE / "src" / source).is_file() for source in found.sources)
    assert f"void {found.function}(const {found.params} *p" in (ENGINE / "include" / found.header).read_text()


def test_every_engine_source_belongs_to_a_kernel() -> None:
    registered = {source for k in kernels().values() for source in k.sources}
    assert {path.name for path in (ENGINE / "src").glob("*.c")} == registered


def test_a_name_is_registered_once() -> None:
    with pytest.raises(ValueError, match="'conv_s8' is registered twice"):
        register(kernel("conv_s8"))


def test_an_unknown_kernel_lists_the_known_ones() -> None:
    with pytest.raises(KeyError, match=r"no kernel 'conv_s4'; known: .*conv_s8"):
        kernel("conv_s4")


def test_every_core_has_portable_kernels() -> None:
    assert set(CORE_ISAS) == set(Core)


@pytest.mark.parametrize("add_case", CASES, ids=lambda case: case.__name__)
def test_layout_is_what_pack_gives(add_case: object) -> None:
    """Sizes that need no weights are those of the packed constants."""

    @settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
    @given(graph=graphs(add_case, cases=4))  # type: ignore[arg-type]
    def check(graph: Graph) -> None:
        for index in range(len(graph.ops)):
            op, chosen = called_op(graph, (index,)), choose(graph, index, Core.HOST)
            packed = chosen.pack(graph, op)
            arrays = {name: value for name, value in packed.items() if isinstance(value, np.ndarray)}
            assert {a.field: a.elements for a in chosen.layout(graph, op)} == {n: v.size for n, v in arrays.items()}
            for array in chosen.layout(graph, op):
                assert arrays[array.field].dtype == np.dtype(array.ctype.removesuffix("_t"))

    check()


@pytest.mark.skipif(shutil.which("arm-none-eabi-gcc") is None, reason="arm-none-eabi-gcc is not installed")
def test_parameter_sizes_on_a_32_bit_core(tmp_path: Path) -> None:
    lines = [f'#include "{header}"' for header in sorted({k.header for k in kernels().values()})]
    for k in kernels().values():
        lines.append(f'_Static_assert(sizeof({k.params}) == {k.params_bytes}, "{k.params}");')
    source = tmp_path / "sizes.c"
    source.write_text("\n".join(lines))
    command = [
        "arm-none-eabi-gcc",
        "-mcpu=cortex-m4",
        "-mthumb",
        "-fsyntax-only",
        f"-I{ENGINE / 'include'}",
        str(source),
    ]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, re.findall(r"static assertion failed: .*", result.stderr)
