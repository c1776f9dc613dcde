"""What is attached, read from a sysfs and a list of ports as Linux shows them for boards that are not here."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from serial.tools.list_ports_common import ListPortInfo

from tinynas.lab.usb import UsbDevice, attached


def port(device: str, usb: str, location: str | None, serial: str | None = None, product: str = "") -> ListPortInfo:
    """As pyserial lists it."""
    found = ListPortInfo(device)
    found.vid, found.pid = (int(part, 16) for part in usb.split(":"))
    found.location, found.serial_number, found.product = location, serial, product
    return found


def plug(sysfs: Path, location: str, usb: str, **files: str) -> Path:
    """A device of /sys/bus/usb/devices, whose real folder lies below its bus, as the kernel has it."""
    vendor, product = usb.split(":")
    real = sysfs / "devices" / "pci0000:00" / "usb1" / location
    real.mkdir(parents=True)
    for name, text in {"idVendor": vendor, "idProduct": product, "bDeviceClass": "00", **files}.items():
        (real / name).write_text(text + "\n")
    link = sysfs / "bus" / "usb" / "devices" / location
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(real)
    return real


def mount(sysfs: Path, device: Path, name: str, folder: Path, files: Mapping[str, str]) -> str:
    """A drive of `device`; its line of /proc/mounts."""
    block = device / f"{device.name}:1.1" / "host0" / "target0" / "block" / name
    block.mkdir(parents=True)
    (sysfs / "class" / "block").mkdir(parents=True, exist_ok=True)
    (sysfs / "class" / "block" / name).symlink_to(block)
    folder.mkdir(parents=True)
    for file, text in files.items():
        (folder / file).write_bytes(text.encode())
    return f"/dev/{name} {str(folder).replace(' ', chr(92) + '040')} vfat rw 0 0\n"


def test_a_device_has_its_ports_and_drives(tmp_path: Path) -> None:
    sysfs, mounts = tmp_path / "sys", tmp_path / "mounts"
    plug(sysfs, "1-1", "1d6b:0002", bDeviceClass="09")
    nucleo = plug(sysfs, "1-1.4", "0483:374b", serial="066DFF", product="STM32 STLink", manufacturer="ST")
    line = mount(sysfs, nucleo, "sda", tmp_path / "NODE F401", {})
    mounts.write_text("proc /proc proc rw 0 0\n/dev/root / ext4 rw 0 0\n" + line)
    ports = [port("/dev/ttyACM1", "0483:374b", "1-1.4:1.2", "066DFF"), port("/dev/ttyACM0", "0483:374b", "1-1.4:1.0")]
    assert attached(ports, sysfs, mounts) == [
        UsbDevice(
            *("0483:374b", "1-1.4", "066DFF", "STM32 STLink", "ST"),
            ports=("/dev/ttyACM0", "/dev/ttyACM1"),
            volumes=(tmp_path / "NODE F401",),
        )
    ]


def test_without_sysfs_the_ports_tell(tmp_path: Path) -> None:
    ports = [port("COM7", "2e8a:000a", None, "E660", "Pico"), port("COM8", "2e8a:000a", None, "E661", "Pico")]
    found = attached(ports, tmp_path, tmp_path / "none")
    assert [(device.serial, device.ports, device.location) for device in found] == [
        ("E660", ("COM7",), ""),
        ("E661", ("COM8",), ""),
    ]


def test_a_port_that_is_none_of_usb_is_left_out(tmp_path: Path) -> None:
    assert attached([ListPortInfo("/dev/ttyS0")], tmp_path, tmp_path / "none") == []


@pytest.mark.parametrize(
    ("device", "identity"),
    [
        (UsbDevice("0483:374b", "1-1.4", "066DFF"), "0483:374b 066DFF"),
        (UsbDevice("10c4:ea60", "1-2"), "10c4:ea60 at 1-2"),
    ],
)
def test_identity_does_not_depend_on_the_name_of_a_port(device: UsbDevice, identity: str) -> None:
    assert device.identity == identity
