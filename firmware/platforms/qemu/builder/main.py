"""Builds one environment: engine and runner as PlatformIO libraries, and the model, generated for the board's core.

SCons runs this with PlatformIO's Python, which must be the one that has tinynas: flags, macros, memory map and
generated C are tinynas's own, so that the image is the one that `tinynas flash` makes.
"""

import os
import sys
from pathlib import Path

from SCons.Script import AlwaysBuild, Default, DefaultEnvironment

env = DefaultEnvironment()

try:
    from tinynas.errors import TinyNasError
    from tinynas.lab.board import load_board
    from tinynas.lab.linker import linker_script
    from tinynas.lab.project import generate_model
    from tinynas.lab.toolchain import toolchain
except ImportError as error:
    sys.exit(
        f"{sys.executable} has PlatformIO but not tinynas ({error}); use the `pio` of the environment `make` sets up"
    )

build_folder = Path(env.subst("$BUILD_DIR"))
try:
    board = load_board(env.GetProjectOption("custom_board"))
    tools = toolchain(board)
    # not an option of platformio.ini: PlatformIO forgets all it has compiled when one changes
    model = Path(os.environ.get("TINYNAS_MODEL") or Path(env.subst("$PROJECT_DIR"), "models", "smoke.tflite"))
    arena_bytes = generate_model(model, board, build_folder / "generated" / "model")
except TinyNasError as error:
    sys.exit(f"tinynas: {error}")

env.Append(LIBSOURCE_DIRS=[str(build_folder / "generated")])
script = build_folder / "board.ld"
script.write_text(linker_script(board))

env.Replace(
    CC=tools.cc,
    AS=tools.cc,
    AR=tools.ar,
    ARFLAGS=["rcsD"],
    RANLIB=":",  # `s` above has written the index
    LINK=tools.cc,
    SIZETOOL=tools.cc.removesuffix("gcc") + "size",
    PROGNAME="firmware",
    PROGSUFFIX=".elf",
    SIZEPRINTCMD="$SIZETOOL -A -d $SOURCES",
)
env.Append(
    ASPPFLAGS=[*tools.flags, "-x", "assembler-with-cpp"],
    CCFLAGS=list(tools.flags),
    LINKFLAGS=[
        *tools.flags,
        "-nostartfiles",
        "-Wl,--gc-sections",
        "-Wl,--no-warn-rwx-segments",
        "-Wl,--build-id=none",
        "-Wl,--strip-debug",
        f"-Wl,--defsym=tn_arena_bytes={arena_bytes}",
        f"-Wl,-T,{script}",
    ],
)

program = env.BuildProgram()
env.Depends(program, str(script))
AlwaysBuild(env.Alias("buildprog", program, program))
env.AddPlatformTarget("size", program, env.VerboseAction("$SIZEPRINTCMD", "Size of $SOURCE"), "Program size")
env.Replace(UPLOADCMD=f'"{sys.executable}" -m tinynas.lab.upload {board.name} "$SOURCE"')
env.AddPlatformTarget("upload", program, env.VerboseAction("$UPLOADCMD", "Uploading $SOURCE"), "Upload")
Default([program])
