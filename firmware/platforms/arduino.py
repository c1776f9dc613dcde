"""Generates the model for an environment that is built with an Arduino core; PlatformIO runs this before it builds.

Like platforms/qemu/builder/main.py, it needs a PlatformIO whose Python has tinynas.
"""

import os
import sys
from pathlib import Path

from SCons.Script import Import

try:
    from tinynas.errors import TinyNasError
    from tinynas.lab.board import load_board
    from tinynas.lab.project import generate_model
except ImportError as error:
    sys.exit(
        f"{sys.executable} has PlatformIO but not tinynas ({error}); use the `pio` of the environment `make` sets up"
    )

Import("env")  # defines `env`
project = env  # noqa: F821

ready = os.environ.get("TINYNAS_GENERATED")  # tinynas has generated the model already
libraries = Path(ready) if ready else Path(project.subst("$BUILD_DIR"), "generated")
if not ready:
    model = Path(os.environ.get("TINYNAS_MODEL") or Path(project.subst("$PROJECT_DIR"), "models", "smoke.tflite"))
    try:
        generate_model(model, load_board(project.GetProjectOption("custom_board")), libraries / "model")
    except TinyNasError as error:
        sys.exit(f"tinynas: {error}")
project.Append(LIBSOURCE_DIRS=[str(libraries)])
