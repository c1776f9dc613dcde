"""PlatformIO's handle on this platform."""

from platformio.platform.base import PlatformBase


class DoublePlatform(PlatformBase):  # type: ignore[misc]  # PlatformIO's types are not followed  # type: ignore[misc]
    """Needs no package: the compiler is this machine's."""
