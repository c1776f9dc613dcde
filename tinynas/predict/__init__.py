"""Accuracy predictors and their baselines."""
