"""USB devices that are attached: identity, serial ports, mounted drives. Linux tells all by sysfs, others the ports."""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from serial.tools import list_ports
from serial.tools.list_ports_common import ListPortInfo

from tinynas.errors import PortLostError

_SYSFS = Path("/sys")
_MOUNTS = Path("/proc/mounts")
_HUB = "09"  # bDeviceClass
_POLL_S = 0.2
_SEGGER = "1366:"
_ESCAPED = re.compile(r"\\([0-7]{3})")  # of blanks, in /proc/mounts


@dataclass(frozen=True)
class UsbDevice:
    """One device on the bus."""

    usb: str  # vendor:product, hex
    location: str  # bus and ports on the way to it, as 1-1.4; "" where the system does not tell
    serial: str | None = None
    product: str = ""  # what it calls itself
    manufacturer: str = ""
    ports: tuple[str, ...] = ()  # its serial ports, by interface
    volumes: tuple[Path, ...] = field(default=())  # where its drives are mounted

    @property
    def identity(self) -> str:
        """Stays the same when it is plugged in again; by place where it has no serial number."""
        return f"{self.usb} {self.serial or f'at {self.location}'}"


def attached(
    ports: Iterable[ListPortInfo] | None = None, sysfs: Path = _SYSFS, mounts: Path = _MOUNTS
) -> list[UsbDevice]:
    """Every device but hubs, by location."""
    devices = {device.location: device for device in _bus(sysfs)}
    for port in list_ports.comports() if ports is None else ports:
        if port.vid is not None:
            _add_port(devices, port)
    for place, volume in _volumes(sysfs, mounts):
        if place in devices:
            known = devices[place]
            devices[place] = replace(known, volumes=(*known.volumes, volume))
    return [devices[place] for place in sorted(devices)]


def at_port(port: str) -> UsbDevice | None:
    """The device that has the serial port `port` (or what that path links to); None if it is none of USB."""
    real = str(Path(port).resolve())
    return next((device for device in attached() if real in device.ports or port in device.ports), None)


def probe_id(device: UsbDevice) -> str | None:
    """What flashers call a debug probe: its serial number, which tools write without a J-Link's leading zeros."""
    if device.serial is None:
        return None
    return device.serial.lstrip("0") if device.usb.startswith(_SEGGER) else device.serial


def port_again(before: UsbDevice, limit_s: float) -> str:
    """The first serial port of a device that is coming back, which may now have another name and product id.

    Raises:
        PortLostError: it does not within `limit_s`.
    """
    deadline_s = time.monotonic() + limit_s
    while time.monotonic() < deadline_s:
        for device in attached():
            same = device.serial == before.serial if before.serial else device.location == before.location
            if same and device.ports:
                return device.ports[0]
        time.sleep(_POLL_S)
    raise PortLostError(f"{before.identity}: has not come back within {limit_s:g} s; plug it in again")


def _bus(sysfs: Path) -> Iterator[UsbDevice]:
    for folder in sorted((sysfs / "bus" / "usb" / "devices").glob("*")):
        vendor, product = _text(folder / "idVendor"), _text(folder / "idProduct")
        if vendor and product and _text(folder / "bDeviceClass") != _HUB:
            serial, product_name = _text(folder / "serial") or None, _text(folder / "product")
            yield UsbDevice(f"{vendor}:{product}", folder.name, serial, product_name, _text(folder / "manufacturer"))


def _add_port(devices: dict[str, UsbDevice], port: ListPortInfo) -> None:
    place = (port.location or port.device).partition(":")[0]
    usb = f"{port.vid:04x}:{port.pid:04x}"
    known = devices.get(place) or UsbDevice(
        usb, place if port.location else "", port.serial_number, port.product or "", port.manufacturer or ""
    )
    devices[place] = replace(known, ports=tuple(sorted({*known.ports, port.device})))


def _volumes(sysfs: Path, mounts: Path) -> Iterator[tuple[str, Path]]:
    """Location of the USB device, and where its drive is mounted."""
    lines = _text(mounts).splitlines()
    for device, folder, *_ in (line.split(" ") for line in lines if line.startswith("/dev/")):
        block = sysfs / "class" / "block" / device.removeprefix("/dev/")
        places = [part for part in block.resolve().parts if re.fullmatch(r"\d+-[\d.]+", part)]
        if places:
            yield places[-1], Path(_ESCAPED.sub(lambda found: chr(int(found[1], 8)), folder))


def _text(path: Path) -> str:
    with contextlib.suppress(OSError):
        return path.read_text("utf-8", "replace").strip()
    return ""
