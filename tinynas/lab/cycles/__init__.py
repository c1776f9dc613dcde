"""Estimated cycles of a firmware: exact block counts from QEMU, priced by a documented pipeline model per core."""
