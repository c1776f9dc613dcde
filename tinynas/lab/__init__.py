"""Boards: build, flash, talk over serial, measure, store."""
