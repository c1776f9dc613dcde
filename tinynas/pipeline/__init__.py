"""Experiments: stages, run folders, resume."""
