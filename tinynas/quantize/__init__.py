"""Calibration and quantisation, Graph to Graph."""
