"""The stages of a run, in the order in which they run."""
