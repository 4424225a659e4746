"""One method on one task: train, encode, judge."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import product
from multiprocessing import get_context
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch

from ..evaluate import code_health, evaluate
from ..evaluate.run_files import FILES, IMAGES, Z
from ..learn import DeepHash
from ..learn.training.seeding import own_random_state
from ..support.files import replacing
from .features import Classifier, n_classes
from .findings import Trial

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from ..learn.data import Task
    from .methods import Method
    from .tasks import Experiment

RADIUS = 2


class Share(NamedTuple):
    """Methods that one process goes through: one that trains a network, or all that are given the same."""

    experiment: Experiment
    seed: int
    methods: tuple[Method, ...]


def run_all(
    experiments: Sequence[Experiment],
    seeds: Sequence[int],
    *,
    n_processes: int,
    n_threads: int,
    folder: Path | None = None,
    say: Callable[[Trial], None] = lambda _: None,
) -> tuple[Trial, ...]:
    """Go through every method of every experiment with every seed, in ``n_processes`` of ``n_threads`` each.

    ``folder`` gets the codes and labels of each, as experiment/method/seed/*.npy, for ``hashindex eval``. ``say`` is
    told each trial as it ends; they are returned in the order of the listings.
    """
    shares = [share for experiment, seed in product(experiments, seeds) for share in _shares(experiment, seed)]
    work = partial(_run, n_threads=n_threads, folder=folder)
    found: list[Trial] = []
    for trials in _each(work, shares, n_processes):
        for trial in trials:
            say(trial)
            found.append(trial)
    order = [(e.name, m.name, seed) for e in experiments for m in e.methods for seed in seeds]
    return tuple(sorted(found, key=lambda one: order.index((one.experiment, one.method, one.seed))))


def _shares(experiment: Experiment, seed: int) -> Iterator[Share]:
    for method in experiment.methods:
        if method.learns == "network":
            yield Share(experiment, seed, (method,))
    for given in ("pixels", "features"):
        methods = tuple(method for method in experiment.methods if method.learns == given)
        if methods:
            yield Share(experiment, seed, methods)


def _each(work: Callable[[Share], list[Trial]], shares: list[Share], n_processes: int) -> Iterator[list[Trial]]:
    if n_processes == 1:
        yield from map(work, shares)
        return
    with ProcessPoolExecutor(n_processes, get_context("spawn")) as pool:
        yield from pool.map(work, shares)


def _run(share: Share, *, n_threads: int, folder: Path | None) -> list[Trial]:
    torch.set_num_threads(n_threads)
    experiment, seed, methods = share
    task = experiment.load(seed=seed)
    if methods[0].learns == "features":
        task = _features(experiment, seed, task)
    return [_judge(experiment, seed, method, task, folder) for method in methods]


def _features(experiment: Experiment, seed: int, task: Task) -> Task:
    """Put a classifier's features in place of the images."""
    classifier = Classifier(n_classes(task.train_labels), seed, **_options(experiment, seed))
    classifier.fit(task.train_images, task.train_labels)
    train, database, query = (
        classifier.features(images) for images in (task.train_images, task.database_images, task.query_images)
    )
    return task._replace(train_images=train, database_images=database, query_images=query)


def _options(experiment: Experiment, seed: int) -> dict[str, Any]:
    """Return the options of a deep method; a backbone's first weights are drawn by the seed."""
    if experiment.backbone is None:
        return experiment.training
    with own_random_state(seed):
        return {**experiment.training, "backbone": experiment.backbone()}


def _judge(experiment: Experiment, seed: int, method: Method, task: Task, folder: Path | None) -> Trial:
    options = _options(experiment, seed) if method.learns == "network" else {}
    model = method.make(experiment.n_bits, seed, **options)
    on_gpu = method.learns == "network" and torch.cuda.is_available()
    if on_gpu:
        torch.cuda.reset_peak_memory_stats()
    start = perf_counter()
    model.fit(task.train_images, task.train_labels)
    trained = perf_counter()
    peak_memory = torch.cuda.max_memory_allocated() if on_gpu else None
    database, query = model.encode(task.database_images), model.encode(task.query_images)
    encoded = perf_counter()
    if folder is not None:
        with_images = method == experiment.methods[0] and seed == 0  # enough for a page
        kept = folder / experiment.name / method.name / str(seed)
        _keep(kept, task, database, query, with_images=with_images)
        if isinstance(model, DeepHash):
            _save(kept / f"{Z}.npy", model.project(task.database_images))
    found = evaluate(query, database, task.query_labels, task.database_labels, n_bits=experiment.n_bits)
    health = code_health(database, n_bits=experiment.n_bits, labels=task.database_labels)
    return Trial(
        experiment=experiment.name,
        method=method.name,
        seed=seed,
        n_bits=experiment.n_bits,
        mean_average_precision=found.mean_average_precision.value,
        map_worst=found.mean_average_precision.worst,
        map_best=found.mean_average_precision.best,
        map_chance=found.chance,
        precision_within_2=float(found.precision[RADIUS]),
        empty_share=float(found.empty_share[RADIUS]),
        precision=tuple(found.precision.tolist()),
        recall=tuple(found.recall.tolist()),
        n_distinct=health.n_distinct,
        entropy=health.mean_entropy,
        alarms=tuple(alarm.name for alarm in health.alarms),
        loss=float(model.history.loss[-20:].mean()) if isinstance(model, DeepHash) else None,
        train_seconds=trained - start,
        train_items=len(model.history.loss) * model.training.batch_size if isinstance(model, DeepHash) else None,
        train_gpu_bytes=peak_memory,
        encode_seconds=encoded - trained,
    )


def _keep(
    folder: Path, task: Task, database: NDArray[np.uint8], query: NDArray[np.uint8], *, with_images: bool
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    arrays: dict[str, NDArray[Any]] = dict(
        zip(FILES, (query, database, task.query_labels, task.database_labels), strict=True)
    )
    if with_images:
        arrays |= zip(IMAGES, (task.query_images, task.database_images), strict=True)
    for name, array in arrays.items():
        _save(folder / f"{name}.npy", array)


def _save(path: Path, array: NDArray[Any]) -> None:
    with replacing(path) as new, new.open("wb") as file:  # numpy.save would add its ending to a name
        np.save(file, array)
