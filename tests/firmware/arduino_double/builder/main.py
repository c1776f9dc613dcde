"""Builds with this machine's compiler, as an Arduino platform does with the board's."""

from SCons.Script import AlwaysBuild, Default, DefaultEnvironment

env = DefaultEnvironment()
env.Replace(
    AR="ar", CC="gcc", CXX="g++", LINK="g++", RANLIB="ranlib", SIZETOOL="size", PROGNAME="firmware", PROGSUFFIX=".elf"
)
program = env.BuildProgram()
AlwaysBuild(env.Alias("buildprog", program, program))
Default([program])
