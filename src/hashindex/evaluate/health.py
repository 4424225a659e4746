"""How well the bits of codes are used, and an alarm where they are not: no labels of queries are needed."""

from collections.abc import Iterator
from math import sqrt
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..codes import pack
from ..inputs.codes import as_codes
from ..inputs.items import Labels, as_floats, check_finite, check_items, check_labels
from ..inputs.numbers import check_n_bits

PERCENTILES = (1, 5, 25, 50, 75, 95, 99)
MOST_CORRELATED_BITS = 1024  # of longer codes as many bits, evenly spread, are correlated
LEAST_ENTROPY = 0.5  # bits per bit, on average: that of a bit which is set in 11 % of the codes
MOST_CONSTANT = 0.1  # share of the bits
MOST_CORRELATION = 0.5  # mean of |r| over all pairs of bits
FEW_CLASSES = 4  # whose best codes, one per class, have correlated bits
FEWEST_CODES = 0.7  # codes per class, both weighed by their items
MOST_IN_ONE = 0.6  # share of the items with the commonest code, unless the commonest class is larger

_BLOCK_BITS = 1 << 22  # bits unpacked at once: 16 MB
_SAMPLE_VALUES = 1 << 22  # values that percentiles are taken of


class Saturation(NamedTuple):
    """How far real values lie from the threshold 0 that makes them bits: |z|."""

    mean: float
    percentiles: tuple[float, ...]  # at `PERCENTILES`, of all rows or of as many evenly spread ones as are sampled


class Alarm(NamedTuple):
    """A reason to distrust the codes: its name, and the numbers in words."""

    name: str
    reason: str


class CodeHealth(NamedTuple):
    """What codes of n items look like, bit by bit and together."""

    n: int
    n_bits: int
    ones: NDArray[np.float64]  # (n_bits,) share of codes that have the bit: 0.5 is balanced
    entropy: NDArray[np.float64]  # (n_bits,) of the bit, in bits: 1 is best, 0 a constant
    mean_entropy: float
    constant_share: float  # of the bits
    mean_correlation: float | None  # of |r| over pairs of bits that are not constant; None without such a pair
    max_correlation: float | None
    n_distinct: int  # codes
    n_effective: float  # codes, each by its items: 1 / sum of squared shares, n_distinct if all are equally common
    commonest_share: float  # items with the commonest code
    n_classes: int | None  # that some item has; None without labels
    n_effective_classes: float | None  # each by its items
    commonest_class_share: float | None  # items in it
    saturation: Saturation | None
    alarms: tuple[Alarm, ...]  # empty: nothing suspicious


def code_health(
    codes: ArrayLike, *, n_bits: int, labels: ArrayLike | None = None, z: ArrayLike | None = None
) -> CodeHealth:
    """Measure the health of codes, block by block: codes and z may be memory maps.

    Parameters
    ----------
    codes
        Packed uint8 (n, ceil(n_bits / 8)), or whatever else `HashIndex.add` takes; at least one.
    n_bits
        Length of the codes.
    labels
        Class numbers (n,) or multi-hot 0/1 (n, n_classes) of the same items: fewer than 0.7 codes per class, both
            weighed by their items, are too few. Without labels, fewer than sqrt(n) / 4 are.
    z
        The real values (n, n_bits) that the codes are the signs of, for their saturation.

    Raises
    ------
    TypeError
        A dtype is another.
    ValueError
        A shape is another, there is no code, z has NaN or infinity, or a code is not made of its z.
    """
    n_bits = check_n_bits(n_bits)
    rows = as_codes(codes, n_bits, "codes").codes
    n = len(rows)
    if n == 0:
        raise ValueError("codes must hold at least 1 code: the health of none is undefined")
    sizes = None if labels is None else _class_sizes(check_labels(labels, n))
    saturation = None if z is None else _saturation(rows, n_bits, z)
    chosen = np.unique(np.linspace(0, n_bits - 1, min(n_bits, MOST_CORRELATED_BITS)).astype(np.int64))
    n_set, n_both = np.zeros(n_bits), np.zeros((len(chosen), len(chosen)))
    for block in _blocks(n, n_bits):
        bits = np.unpackbits(rows[block], axis=1, count=n_bits)
        n_set += bits.sum(axis=0, dtype=np.int64)
        some = bits[:, chosen].astype(np.float32)
        n_both += some.T @ some  # at most 2**22 items at once: exact in float32
    ones = n_set / n
    entropy = _entropy(ones)
    correlations = _correlations(n_both / n, ones[chosen])
    counts = _code_counts(rows)
    health = CodeHealth(
        n=n,
        n_bits=n_bits,
        ones=ones,
        entropy=entropy,
        mean_entropy=float(entropy.mean()),
        constant_share=float(((ones == 0) | (ones == 1)).mean()),
        mean_correlation=float(correlations.mean()) if len(correlations) else None,
        max_correlation=float(correlations.max()) if len(correlations) else None,
        n_distinct=len(counts),
        n_effective=_effective(counts),
        commonest_share=float(counts.max() / n),
        n_classes=None if sizes is None else int((sizes > 0).sum()),
        n_effective_classes=None if sizes is None else _effective(sizes),
        commonest_class_share=None if sizes is None else float(sizes.max() / n),
        saturation=saturation,
        alarms=(),
    )
    return health._replace(alarms=_alarms(health))


def distinct_codes(codes: ArrayLike) -> int:
    """Count the different codes among the rows of packed uint8 (n, code_size): few = a collapsed hash.

    Raises
    ------
    TypeError
        The codes are not uint8.
    ValueError
        The shape is another.
    """
    rows = np.asarray(codes)
    if rows.dtype != np.uint8:
        raise TypeError(f"codes must be packed uint8 (n, code_size), got {rows.dtype}; pack() makes them")
    if rows.ndim != 2:
        raise ValueError(f"codes must be packed uint8 (n, code_size), got shape {rows.shape}")
    return len(_code_counts(rows))


def _alarms(health: CodeHealth) -> tuple[Alarm, ...]:
    if health.n < 2:
        return ()
    found = []
    few = f"{health.n_distinct:,} distinct codes for {health.n:,} items"
    if health.n_classes is None:
        if health.n_distinct < sqrt(min(health.n, 2.0 ** min(health.n_bits, 64))) / 4:
            found.append(Alarm("few distinct codes", few))
    elif health.n_effective < FEWEST_CODES * (health.n_effective_classes or 0):
        reason = f"{few} in {health.n_classes:,} classes, or {health.n_effective:.1f} codes weighed by their items"
        found.append(Alarm("few distinct codes", reason))
    if health.commonest_share > max(MOST_IN_ONE, health.commonest_class_share or 0):
        found.append(Alarm("one code for most items", f"the commonest code holds {health.commonest_share:.1%} of them"))
    if health.constant_share > MOST_CONSTANT:
        n_constant = round(health.constant_share * health.n_bits)
        found.append(Alarm("constant bits", f"{n_constant} of {health.n_bits} bits are the same in every code"))
    if health.mean_entropy < LEAST_ENTROPY:
        found.append(Alarm("low entropy", f"{health.mean_entropy:.2f} bits per bit on average, 1 is best"))
    few_classes = health.n_classes is not None and health.n_classes <= FEW_CLASSES
    if health.mean_correlation is not None and health.mean_correlation > MOST_CORRELATION and not few_classes:
        found.append(
            Alarm("correlated bits", f"|r| of two bits is {health.mean_correlation:.2f} on average, 0 is best")
        )
    return tuple(found)


def _class_sizes(labels: Labels) -> NDArray[np.int64]:
    """Items of each class."""
    return np.unique(labels, return_counts=True)[1] if labels.ndim == 1 else labels.sum(axis=0)


def _effective(sizes: NDArray[np.int64]) -> float:
    """How many equally large groups are as mixed: 1 / sum of squared shares (Simpson's index); 0 of nothing."""
    return float(sizes.sum()) ** 2 / max(float(np.square(sizes, dtype=np.float64).sum()), 1.0)


def _blocks(n: int, width: int) -> Iterator[slice]:
    step = max(_BLOCK_BITS // width, 1)
    return (slice(begin, min(begin + step, n)) for begin in range(0, n, step))


def _entropy(ones: NDArray[np.float64]) -> NDArray[np.float64]:
    shares = np.stack([ones, 1 - ones])
    entropy: NDArray[np.float64] = -(shares * np.log2(np.where(shares > 0, shares, 1))).sum(axis=0)
    return np.abs(entropy)  # no -0.0


def _correlations(both: NDArray[np.float64], ones: NDArray[np.float64]) -> NDArray[np.float64]:
    """Pearson's |r| of every pair of bits that are not constant."""
    varying = np.flatnonzero((ones > 0) & (ones < 1))
    both, ones = both[np.ix_(varying, varying)], ones[varying]
    deviation = np.sqrt(ones * (1 - ones))
    correlation = np.abs(both - np.outer(ones, ones)) / np.outer(deviation, deviation)
    pairs: NDArray[np.float64] = correlation[np.triu_indices(len(ones), 1)]
    return np.minimum(pairs, 1)


def _code_counts(rows: NDArray[np.uint8]) -> NDArray[np.int64]:
    """How often each distinct code occurs; what was counted is merged whenever it has doubled."""
    keys, counts = _counted(rows[:0], np.zeros(0, np.int64))
    waiting: list[tuple[NDArray[np.void], NDArray[np.int64]]] = []
    n_waiting = 0
    for block in _blocks(len(rows), 8 * rows.shape[1] or 1):
        found = _counted(rows[block], np.ones(block.stop - block.start, np.int64))
        waiting.append(found)
        n_waiting += len(found[0])
        if n_waiting > len(keys) or block.stop == len(rows):
            waiting.append((keys, counts))
            every = [np.concatenate(each) for each in zip(*waiting, strict=True)]
            keys, counts = _counted(every[0], every[1])
            waiting, n_waiting = [], 0
    return counts


def _counted(rows: NDArray[Any], counts: NDArray[np.int64]) -> tuple[NDArray[np.void], NDArray[np.int64]]:
    """Distinct rows, each as one value of raw bytes, and the sums of their counts."""
    keys = rows if rows.dtype.kind == "V" else np.ascontiguousarray(rows).view(f"V{max(rows.shape[1], 1)}")[:, 0]
    order = np.argsort(keys, kind="stable")
    keys = keys[order]
    first = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]])[: len(keys)])
    return keys[first], np.add.reduceat(counts[order], first) if len(first) else counts


def _saturation(codes: NDArray[np.uint8], n_bits: int, z: Any) -> Saturation:
    shape = tuple(np.shape(z))
    if shape != (len(codes), n_bits):
        raise ValueError(f"z must have shape ({len(codes)}, {n_bits}), a value per bit; got {shape}")
    z = check_items(z)
    check_finite(z)
    total, sample = 0.0, []
    step = -(-len(codes) * n_bits // _SAMPLE_VALUES)
    for block in _blocks(len(codes), n_bits):
        values = as_floats(z[block])
        wrong = np.flatnonzero((pack(np.asarray(z[block])) != codes[block]).any(axis=1))
        if len(wrong):
            raise ValueError(
                f"row {block.start + wrong[0]}: the code is not that of its z (bit = z > 0); codes and z must be of "
                f"the same items in the same order"
            )
        values = np.abs(values)
        total += float(values.sum(dtype=np.float64))
        sample.append(values[-block.start % step :: step])
    percentiles = np.percentile(np.concatenate(sample), PERCENTILES)
    return Saturation(total / (len(codes) * n_bits), tuple(percentiles.tolist()))
