"""The studies of docs/results.md, one script each; see the README beside the results."""
