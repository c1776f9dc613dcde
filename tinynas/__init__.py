"""tinynas finds, trains, quantises, builds, flashes and times int8 networks for microcontrollers."""

__version__ = "0.1.0"
