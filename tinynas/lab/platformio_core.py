"""PlatformIO's core folder, filled so that `pio run` in firmware/ needs nothing from PlatformIO's registry.

PlatformIO wants SCons as a package of its own; here that package is three small files around the SCons of this Python
environment. The owner must read "platformio", or it is looked up in the registry.
"""

from __future__ import annotations

import importlib.metadata
import json
from pathlib import Path

from tinynas.errors import StoreError, ToolError
from tinynas.resources import resource

_HOW = "pip install 'tinynas[boards]'"
_STARTER = "import SCons.Script\n\nif __name__ == '__main__':\n    SCons.Script.main()\n"


def core_folder() -> Path | None:
    """The core_dir of firmware/platformio.ini; None in an installed package, whose firmware/ is not a project."""
    checkout = resource("firmware").parent
    return checkout / "build" / "platformio" if (checkout / "pyproject.toml").is_file() else None


def prepare_if_installed() -> None:
    """`prepare` in a checkout where the extra [boards] is installed.

    Raises:
        ToolError: PlatformIO and SCons do not fit each other.
        StoreError: the folder cannot be written.
    """
    core = core_folder()
    if core is not None and _is_installed("platformio") and _is_installed("scons"):
        prepare(core)


def is_prepared(core: Path) -> bool:
    """Whether `core` holds what `prepare` would write now; PlatformIO may have added to its state."""
    return all(path.is_file() and _holds(path.read_text(), text) for path, text in _files(core).items())


def _holds(found: str, wanted: str) -> bool:
    """The same text, or a JSON object with the same values and more."""
    try:
        return found == wanted or json.loads(found).items() >= json.loads(wanted).items()
    except (ValueError, AttributeError):
        return False


def prepare(core: Path) -> None:
    """Writes what PlatformIO looks for into `core`; what else is there stays.

    Raises:
        ToolError: PlatformIO or SCons is not installed, or another SCons than this PlatformIO wants.
        StoreError: `core` cannot be written.
    """
    try:
        for path, text in _files(core).items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    except OSError as error:
        raise StoreError(f"{core}: cannot be written: {error.strerror}") from error


def _files(core: Path) -> dict[Path, str]:
    package = core / "packages" / "tool-scons"
    version = _scons_package_version()
    spec = {"owner": "platformio", "id": None, "name": "tool-scons", "requirements": None, "uri": None}
    settings = {"enable_telemetry": False, "check_platformio_interval": 3650, "check_prune_system_threshold": 0}
    state = {"last_version": _version("platformio"), "settings": settings | {"disable_udev_rules_check": True}}
    return {
        package / "package.json": json.dumps({"name": "tool-scons", "version": version, "system": "*"}),
        package / ".piopm": json.dumps({"type": "tool", "name": "tool-scons", "version": version, "spec": spec}),
        package / ".piokeep": "",  # else PlatformIO may tidy it away
        package / "scons.py": _STARTER,
        core / "appstate.json": json.dumps(state),
    }


def _scons_package_version() -> str:
    """SCons 4.11.1 is tool-scons 4.41101.0; the wanted version is written `~4.41101.0`."""
    from platformio.dependencies import get_core_dependencies

    major, minor, patch = (*_version("scons").split("."), "0")[:3]
    version = f"{major}.{int(major)}{int(minor):02d}{int(patch):02d}.0"
    wanted = get_core_dependencies()["tool-scons"].lstrip("~")
    if version != wanted:
        raise ToolError(f"PlatformIO {_version('platformio')} wants tool-scons {wanted}, SCons is {version}; {_HOW}")
    return version


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError as error:
        raise ToolError(f"{package} is not installed; {_HOW}") from error


def _is_installed(package: str) -> bool:
    return bool(list(importlib.metadata.distributions(name=package)))
