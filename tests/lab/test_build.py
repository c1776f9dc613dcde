from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from tests.lab.toy import toy
from tinynas.engine.generate import Generated
from tinynas.errors import FitError, StoreError, ToolError
from tinynas.lab import build
from tinynas.lab.board import Board, Core, known_boards, load_board
from tinynas.lab.build import build_image, firmware
from tinynas.lab.linker import linker_script
from tinynas.lab.sources import engine_sources, runner_sources
from tinynas.lab.toolchain import Toolchain, toolchain

VIRTUAL = [name for name in known_boards() if name.startswith("qemu")]


@pytest.mark.parametrize("name", ["qemu-mps3-an547", "host"])
def test_the_runner_compiles_without_a_warning(name: str, tmp_path: Path) -> None:
    board = load_board(name)
    sources = runner_sources(board)
    flags = ("-Wconversion", "-Werror", *sources.defines, *(f"-I{folder}" for folder in sources.includes))
    toolchain(board).run(*flags, "-c", *sources.files, cwd=tmp_path)


def test_the_smallest_board_has_most_of_its_memory_left_for_the_arena() -> None:
    """Of 16 KiB, runner, stack and guard leave 12."""
    board = load_board("qemu-microbit")
    build_image(toy(arena=12 * 1024), board)
    with pytest.raises(FitError, match="SRAM by"):
        build_image(toy(arena=13 * 1024), board)


@pytest.mark.parametrize("name", VIRTUAL)
def test_the_runner_keeps_to_its_budget(name: str) -> None:
    """At most 6 KiB of flash and 4 KiB of RAM, start-up and libc included (the toy model takes some 350 B)."""
    image = build_image(toy(), load_board(name))
    soft_float = 3_072 if load_board(name).core is Core.M0 else 0  # and 64-bit division
    assert image.flash_bytes <= 6 * 1024 + 350 + soft_float
    assert image.runner_sram_bytes <= 2 * 1024
    assert image.statics_bytes == 0


def test_the_firmware_hash_is_the_board_s(stm32: Board) -> None:
    smaller_stack = stm32.model_copy(update={"stack_bytes": 2048})
    assert firmware(stm32).firmware_hash != firmware(smaller_stack).firmware_hash


def _largest_arena(board: Board) -> int:
    image = build_image(toy(), board)
    return board.sram.size_bytes - board.stack_bytes - image.runner_sram_bytes


@pytest.mark.parametrize("name", ["qemu-stm32f405", "qemu-mps3-an547"])
def test_an_arena_fits_to_the_byte(name: str) -> None:
    board = load_board(name)
    image = build_image(toy(arena=_largest_arena(board)), board)
    assert image.arena_bytes + image.runner_sram_bytes + board.stack_bytes == board.sram.size_bytes


@pytest.mark.parametrize("excess", [4, 1000])
def test_a_larger_arena_fails_at_link_time_with_the_overflow(stm32: Board, excess: int) -> None:
    with pytest.raises(FitError, match=f"SRAM by {excess} B") as caught:
        build_image(toy(arena=_largest_arena(stm32) + excess), stm32)
    assert caught.value.overflow_bytes == excess


def test_too_many_constants_fail_at_link_time(stm32: Board) -> None:
    big = toy(before="static volatile const char big[1 << 20] = {1};", during="z[0] = big[arena[0]];")
    with pytest.raises(FitError, match="FLASH by") as caught:
        build_image(big, stm32)
    assert caught.value.overflow_bytes > 5_000


def test_the_linker_script_holds_the_memory_map(stm32: Board) -> None:
    script = linker_script(stm32)
    assert "ORIGIN = 0x08000000, LENGTH = 1048576" in script
    assert "ORIGIN = 0x20000000, LENGTH = 131072" in script


def test_an_image_is_built_anew_when_its_folder_is_used_again(stm32: Board, tmp_path: Path) -> None:
    first = build_image(toy(n=8), stm32, folder=tmp_path)
    second = build_image(toy(n=9), stm32, folder=tmp_path)
    assert first.sha256 != second.sha256


def test_builds_may_fill_one_cache_at_the_same_time(
    stm32: Board, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the image is the same wherever it is built."""
    few = replace(engine_sources(), files=engine_sources().files[:2])
    monkeypatch.setattr(build, "engine_sources", lambda: few)
    with ThreadPoolExecutor(4) as pool:
        images = list(pool.map(lambda _: build_image(toy(), stm32, cache=tmp_path), range(4)))
    assert len({image.elf for image in images}) == 1
    assert images[0].elf.is_relative_to(tmp_path)
    assert {image.sha256 for image in images} == {build_image(toy(), stm32).sha256}
    assert not list(tmp_path.rglob(".new-*"))


@pytest.mark.parametrize(("name", "package"), [("qemu-stm32f405", "gcc-arm-none-eabi"), ("host", "libc6-dev")])
def test_a_missing_compiler_names_its_package(
    name: str, package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolError, match=f"apt-get install .*{package}"):
        build_image(toy(), load_board(name))


def test_a_broken_compiler_is_named(stm32: Board, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("arm-none-eabi-gcc", "arm-none-eabi-ar"):
        (tmp_path / name).write_text("#!/bin/sh\necho no libisl >&2\nexit 127\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolError, match=r"arm-none-eabi-gcc --version failed \(127\): no libisl"):
        toolchain(stm32)


def test_a_compiler_s_complaint_is_passed_on(stm32: Board) -> None:
    with pytest.raises(ToolError, match=r"(?s)model\.c:1.*nonsense"):
        build_image(Generated("main", {"model.c": b"nonsense"}, (), 16), stm32)


def test_a_disk_that_the_compiler_finds_full_is_told_as_such(tmp_path: Path) -> None:
    """The compiler is a script that complains as GCC's assembler does on a full file system."""
    cc = tmp_path / "cc"
    cc.write_text('#!/bin/sh\necho "Fatal error: can\'t write main.o: No space left on device" >&2\nexit 1\n')
    cc.chmod(0o755)
    with pytest.raises(StoreError, match="cc: the disk is full; free some space"):
        Toolchain(str(cc), "ar", "1", ()).run("-c", "main.c")


def test_a_cache_that_cannot_be_written_is_named(stm32: Board, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StoreError, match=r"file.*cannot be written"):
        build_image(toy(), stm32, cache=tmp_path / "file")
