"""PlatformIO runs this when it builds the runner: the port of the environment's board goes into the same archive.

Files, include folders and macros are those that tinynas itself compiles it with.
"""

from SCons.Script import Import

from tinynas.lab.board import load_board
from tinynas.lab.sources import runner_sources
from tinynas.resources import resource

Import("env")  # defines `env`
library = env  # noqa: F821

sources = runner_sources(load_board(library.GetProjectOption("custom_board")))
library.Replace(SRC_FILTER=[f"+<{path.relative_to(resource('firmware'))}>" for path in sources.files])
library.Append(CPPPATH=[str(folder) for folder in sources.includes], CCFLAGS=list(sources.defines))
