"""Library entries side by side: in processes of this machine, or on a Ray cluster."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Literal, TypeVar

from tinynas.errors import ToolError

Backend = Literal["local", "ray"]
T = TypeVar("T")
R = TypeVar("R")


def side_by_side(run: Callable[[T], R], tasks: Sequence[T], workers: int, backend: Backend = "local") -> Iterator[R]:
    """`run` of every task, in the order in which they end.

    "local": `workers` processes. "ray": all cores of the cluster at RAY_ADDRESS, or of this machine where that is not
    set; the tasks' files have to be on a disk that all nodes share, under one path.

    Raises:
        ToolError: Ray is not installed, its cluster does not answer, or a worker process was killed.
    """
    from joblib import Parallel, delayed
    from joblib.externals.loky.process_executor import TerminatedWorkerError

    if not tasks:
        return
    with _chosen(backend):
        jobs = (delayed(run)(task) for task in tasks)
        try:
            if backend == "local":
                yield from Parallel(n_jobs=workers, return_as="generator_unordered")(jobs)
                return
            for batch in iter(lambda: list(itertools.islice(jobs, _cluster_cores())), []):
                yield from Parallel(n_jobs=-1)(batch)  # Ray's backend hands results over in lists only
        except TerminatedWorkerError as error:
            raise ToolError(
                f"a process of {workers} was killed while it trained library entries, most likely for want of memory; "
                "free some and run the same command again: finished entries are kept"
            ) from error


def _chosen(backend: Backend) -> AbstractContextManager[object]:
    """joblib's context of the backend."""
    return nullcontext() if backend == "local" else _on_ray()


@contextmanager
def _on_ray() -> Iterator[None]:
    """Ray's processes end with it, unless they were there before."""
    from joblib import parallel_config

    try:
        import ray
        from ray.util.joblib import register_ray
    except ImportError as error:
        raise ToolError(
            'library.backend = "ray" needs Ray, which is not installed: pip install "tinynas[cluster]"; or leave the '
            "setting out to train on this machine's cores"
        ) from error
    ours = not ray.is_initialized()
    try:
        if ours:
            ray.init(log_to_driver=False, include_dashboard=False)
    except ConnectionError as error:
        raise ToolError(
            f"no Ray cluster answers at RAY_ADDRESS ({error}); start one (ray start --head) or unset RAY_ADDRESS"
        ) from error
    register_ray()
    try:
        with parallel_config(backend="ray"):
            yield
    finally:
        if ours:
            ray.shutdown()


def _cluster_cores() -> int:
    import ray

    return max(1, int(ray.cluster_resources().get("CPU", 1)))
