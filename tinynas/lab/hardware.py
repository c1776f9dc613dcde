"""How a real board is attached, reset, powered and flashed: the `[hardware]` table of its file.

A table per flasher says what that flasher must be told of the board; it is there exactly if the board can be flashed
that way. The flashers themselves know nothing of boards.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, Field, NonNegativeInt, PositiveInt, model_validator

UsbId = Annotated[str, Field(pattern="^[0-9a-f]{4}:[0-9a-f]{4}$")]  # vendor:product
Flasher = Literal["openocd", "pyocd", "esptool", "uf2", "dfu-util", "platformio"]
_TABLES: Mapping[Flasher, str] = {
    "openocd": "openocd",
    "pyocd": "pyocd",
    "esptool": "esptool",
    "uf2": "uf2",
    "dfu-util": "dfu",
    "platformio": "pio",
}


class OpenOcd(BaseModel, frozen=True, extra="forbid"):
    """Through the board's debug probe."""

    config: tuple[str, ...] = Field(min_length=1)  # OpenOCD's own files for probe and target, in order


class PyOcd(BaseModel, frozen=True, extra="forbid"):
    """Through the board's debug probe."""

    target: str  # `pyocd list --targets`
    pack: str | None = None  # part to give to `pyocd pack install`, where pyOCD has the target from a CMSIS pack only


class EspTool(BaseModel, frozen=True, extra="forbid"):
    """Through the chip's ROM loader."""

    chip: Literal["esp32", "esp32s2", "esp32s3", "esp32c3", "esp32c6"]
    bootloader: NonNegativeInt  # flash offsets
    partitions: NonNegativeInt = 0x8000
    app: NonNegativeInt = 0x10000
    flash_mode: Literal["dio", "qio", "dout", "qout"] = "dio"
    flash_freq: Literal["20m", "26m", "40m", "80m"] = "40m"


class Uf2(BaseModel, frozen=True, extra="forbid"):
    """By copying a file to the drive that the bootloader shows."""

    family_id: PositiveInt  # of the chip, in the UF2 project's list
    volume: str  # label of the drive
    board_ids: tuple[str, ...] = Field(min_length=1)  # what `Board-ID` in the drive's INFO_UF2.TXT may be


class DfuUtil(BaseModel, frozen=True, extra="forbid"):
    """Through a USB DFU bootloader."""

    usb: UsbId  # while the bootloader runs
    alt: NonNegativeInt
    address: NonNegativeInt  # where the image goes (DfuSe)


class PlatformIo(BaseModel, frozen=True, extra="forbid"):
    """By PlatformIO's own upload for the board, which brings the tool."""

    protocol: str  # upload_protocol
    platform: str | None = None  # its platform, pinned; for boards that have no environment in firmware/platformio.ini


class Hardware(BaseModel, frozen=True, extra="forbid"):
    """How a real board is attached, reset, powered and flashed."""

    usb: tuple[UsbId, ...]  # of what carries the console: debug probe, USB bridge or the chip itself; none: an adapter
    usb_bootloader: tuple[UsbId, ...] = ()  # the identities it has while its bootloader waits for an image
    mbed_id: Annotated[str, Field(pattern="^[0-9a-f]{4}$")] | None = None  # tells boards with one kind of probe apart
    console: str  # which UART, and its pins
    console_through: Literal["probe", "bridge", "usb", "adapter"] = "probe"  # usb: the chip's own, gone at each reset
    baud: PositiveInt
    flashers: tuple[Flasher, ...] = Field(min_length=1)  # the first is the default
    openocd: OpenOcd | None = None
    pyocd: PyOcd | None = None
    esptool: EspTool | None = None
    uf2: Uf2 | None = None
    dfu: DfuUtil | None = None
    pio: PlatformIo | None = None
    reset: tuple[Literal["probe", "dtr", "touch1200", "button"], ...] = Field(("probe",), min_length=1)  # best first
    power: tuple[Literal["usb", "supply"], ...] = ("usb",)  # `usb`: switching its USB port off takes the power away
    platformio: str | None = None  # what PlatformIO calls the board; none: no upstream platform has it

    @model_validator(mode="after")
    def _every_flasher_is_described(self) -> Hardware:
        described = {name for name, key in _TABLES.items() if getattr(self, key) is not None}
        odd = sorted(described ^ set(self.flashers))
        if odd:
            raise ValueError(f"{odd[0]} must stand in `flashers` and have its table [hardware.{_TABLES[odd[0]]}]")
        return self
