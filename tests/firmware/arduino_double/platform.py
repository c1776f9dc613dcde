"""PlatformIO's handle on this platform."""

from platformio.platform.base import PlatformBase


class DoublePlatform(PlatformBase):  # type: ignore[misc]  # its types are not followed
    """Needs no package: the compiler is this machine's."""
