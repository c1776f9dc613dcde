"""Arch encoding and the memory-aware search space."""
