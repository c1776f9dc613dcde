"""Boards as PlatformIO's platforms describe them."""

from __future__ import annotations

from typing import Any

NUCLEO: dict[str, Any] = {
    "build": {"cpu": "cortex-m7", "f_cpu": "216000000L", "mcu": "stm32f746zgt6", "hwids": [["0x0483", "0x374B"]]},
    "debug": {"onboard_tools": ["stlink"], "openocd_board": "st_nucleo_f7", "openocd_target": "stm32f7x"},
    "frameworks": ["arduino"],
    "name": "ST Nucleo F746ZG",
    "upload": {"maximum_ram_size": 327680, "maximum_size": 1048576, "protocol": "stlink"},
}
ESP32: dict[str, Any] = {
    "build": {"f_cpu": "240000000L", "mcu": "esp32s3", "hwids": [["0x303A", "0x1001"]]},
    "frameworks": ["arduino"],
    "name": "Some ESP32-S3",
    "upload": {"maximum_ram_size": 327680, "maximum_size": 8388608, "protocol": "esptool"},
}
