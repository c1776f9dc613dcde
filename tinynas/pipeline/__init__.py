"""Experiments: stages, run folders, resume."""

import os

# Before torch loads OpenMP: its threads, which by default spin while they wait, make a training twenty times slower
# as soon as something else wants a core.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
