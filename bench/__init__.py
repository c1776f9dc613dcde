"""Benchmarks of the engine: `make bench` measures models and prints our figures beside recorded baselines."""
