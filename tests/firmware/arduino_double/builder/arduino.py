"""The Arduino core as a static library, with the flags that upstream platforms give: no exceptions, sections, F_CPU."""

from pathlib import Path

from SCons.Script import DefaultEnvironment

env = DefaultEnvironment()
core = Path(env.PioPlatform().get_dir(), "core")
env.Append(
    CCFLAGS=["-Os", "-Wall", "-ffunction-sections", "-fdata-sections"],
    CFLAGS=["-std=gnu11"],
    CXXFLAGS=["-std=gnu++11", "-fno-exceptions", "-fno-rtti"],
    CPPDEFINES=[("ARDUINO", 10819), "ARDUINO_ARCH_DOUBLE", ("F_CPU", "$BOARD_F_CPU")],
    CPPPATH=[str(core)],
    LINKFLAGS=["-Wl,--gc-sections"],
)
env.Prepend(LIBS=[env.BuildLibrary(str(Path("$BUILD_DIR", "FrameworkArduino")), str(core))])
