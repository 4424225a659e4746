"""The demo job, from images to numbers: learn, index, compare, measure, judge."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .. import HashIndex
from ..evaluate import distinct_codes, evaluate
from ..evaluate.page.retrieved import Pictures, retrieved
from ..index import METHODS
from ..learn import HashNet
from ..learn.data import Task, two_digits
from ..pages.code_map import code_map
from ..support.machine import describe
from .crosscheck import check, faiss_answers
from .result import DemoResult, Settings, TaskSize, TrainingCourse
from .throughput import speeds

ENGINES = ("native", "numba")
RADIUS = 2
K = 10

Codes = NDArray[np.uint8]


class LearnedCodes(NamedTuple):
    """The task and what HashNet made of it."""

    task: Task
    database_codes: Codes  # (n_database, code_size)
    query_codes: Codes  # (n_queries, code_size)
    training: TrainingCourse


def run(
    n_bits: int = 32,
    seed: int = 0,
    n_threads: int = 1,
    *,
    progress: bool = False,
    say: Callable[[str], None] = lambda _: None,
) -> DemoResult:
    """Do the whole job, 30 to 60 s on 2 cores; ``say`` is told what comes next, ``progress`` draws a bar.

    ``n_threads`` is for the searches, faiss's included. A wrong answer raises nothing: see
    :attr:`DemoResult.all_equal`.
    """
    start = perf_counter()
    task, codes, queries, training = learn(n_bits, seed, progress=progress, say=say)

    say(f"indexing {len(codes):,} codes")
    indexes, missing_engines = build(n_bits, codes)

    say(f"comparing the answers to {len(queries):,} queries with faiss's")
    expected = faiss_answers(codes, queries, RADIUS, K)
    checks = tuple(check(index, queries, expected, method, n_threads) for index in indexes for method in METHODS)
    correct = not any(one.n_differing for one in checks)

    say("measuring queries per second")
    measured = speeds(indexes, codes, queries, RADIUS, K, n_threads) if correct else ()

    say("judging the codes and drawing their map")
    labels, query_labels = task.database_labels, task.query_labels
    near = indexes[0].search(queries, k=K, n_threads=n_threads)
    return DemoResult(
        settings=Settings(n_bits, seed, n_threads, RADIUS, K),
        task=TaskSize(
            n_train=len(task.train_labels),
            n_database=len(labels),
            n_queries=len(query_labels),
            n_classes=len(np.unique(labels)),
            similar_share=float(((np.bincount(task.train_labels) / len(task.train_labels)) ** 2).sum()),
        ),
        training=training,
        evaluation=evaluate(queries, codes, query_labels, labels, n_bits=n_bits, list_sizes=()),
        n_distinct=distinct_codes(codes),
        checks=checks,
        missing_engines=missing_engines,
        speeds=measured,
        retrieved=retrieved(
            near,
            Pictures(task.query_images, query_labels),
            Pictures(task.database_images, labels),
            seed,
            n_random=6,
            one_per_class=True,  # scans recur: their failures too
            named="{:02d}".format,
        ),
        code_map=code_map(codes, labels, seed),
        machine=describe(),
        seconds=perf_counter() - start,
    )


def learn(n_bits: int, seed: int, *, progress: bool, say: Callable[[str], None]) -> LearnedCodes:
    """Train on the two-digit task and encode its database and queries."""
    task = two_digits(seed=seed)
    say(f"training HashNet on {len(task.train_labels):,} two-digit images")
    start = perf_counter()
    net = HashNet(n_bits=n_bits, seed=seed).fit(task.train_images, task.train_labels, progress=progress)
    seconds = perf_counter() - start
    history = net.history
    return LearnedCodes(
        task=task,
        database_codes=net.encode(task.database_images),
        query_codes=net.encode(task.query_images),
        training=TrainingCourse(history.step, history.stage, history.beta, history.loss, net.convergence, seconds),
    )


def build(n_bits: int, codes: Codes) -> tuple[list[HashIndex], tuple[str, ...]]:
    """One index of ``codes`` per engine that works here, and why the others do not.

    Raises ImportError when none does.
    """
    indexes, missing = [], []
    for engine in ENGINES:
        try:
            index = HashIndex(n_bits=n_bits, engine=engine)
        except ImportError as error:
            missing.append(f"{engine}: {error}")
            continue
        index.add(codes)
        indexes.append(index)
    if not indexes:
        raise ImportError("; ".join(missing))
    return indexes, tuple(missing)
