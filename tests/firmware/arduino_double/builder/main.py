"""Builds with this machine's compiler, as an Arduino platform does with the board's; its port is a file."""

from SCons.Script import COMMAND_LINE_TARGETS, AlwaysBuild, Default, DefaultEnvironment

env = DefaultEnvironment()
env.Replace(
    AR="ar", CC="gcc", CXX="g++", LINK="g++", RANLIB="ranlib", SIZETOOL="size", PROGNAME="firmware", PROGSUFFIX=".elf"
)
binary = "$BUILD_DIR/firmware.bin"
if "nobuild" in COMMAND_LINE_TARGETS:
    AlwaysBuild(env.Alias("nobuild", binary))
else:
    binary = env.Command(binary, env.BuildProgram(), "cp $SOURCE $TARGET")
    AlwaysBuild(env.Alias("buildprog", binary, binary))
AlwaysBuild(env.Alias("upload", binary, "cp $SOURCE $UPLOAD_PORT"))
Default([binary])
