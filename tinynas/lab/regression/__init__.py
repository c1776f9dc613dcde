"""Regression runs over a lab of boards: what to run, running it, and judging what came out."""
