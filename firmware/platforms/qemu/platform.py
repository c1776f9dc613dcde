"""PlatformIO's handle on this platform; the work is in builder/main.py."""

from platformio.platform.base import PlatformBase


class QemuPlatform(PlatformBase):
    """Needs no package: compiler, flags and memory map come from tinynas, the compiler from the system."""
