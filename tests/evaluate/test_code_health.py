"""Code health against NumPy's own statistics, and the alarms on codes that deserve them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import reference
from hashindex.codes import pack, unpack
from hashindex.evaluate import code_health, distinct_codes, health


def alarms(codes: NDArray[np.uint8], n_bits: int, labels: NDArray[np.int64] | None = None) -> list[str]:
    return [alarm.name for alarm in code_health(codes, n_bits=n_bits, labels=labels).alarms]


@pytest.mark.parametrize("n_bits", [1, 7, 48, 130])
@pytest.mark.parametrize("block", [1, 500, 2**22])
def test_health_is_what_numpy_computes(
    n_bits: int, block: int, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "_BLOCK_BITS", block)
    codes = reference.random_codes(rng, 300, n_bits, "skewed")
    bits = unpack(codes, n_bits).astype(float)
    found = code_health(codes, n_bits=n_bits)
    share = bits.mean(axis=0)
    np.testing.assert_allclose(found.ones, share)
    with np.errstate(divide="ignore", invalid="ignore"):
        entropy = -np.nan_to_num(share * np.log2(share)) - np.nan_to_num((1 - share) * np.log2(1 - share))
        correlations = np.atleast_2d(np.corrcoef(bits.T))[np.triu_indices(n_bits, 1)]
    np.testing.assert_allclose(found.entropy, entropy, atol=1e-12)
    assert found.mean_entropy == pytest.approx(entropy.mean())
    assert found.constant_share == np.isin(share, (0, 1)).mean()
    correlations = np.abs(correlations[np.isfinite(correlations)])
    if len(correlations):
        assert found.mean_correlation == pytest.approx(correlations.mean())
        assert found.max_correlation == pytest.approx(correlations.max())
    else:
        assert found.mean_correlation is None
    rows, counts = np.unique(codes, axis=0, return_counts=True)
    assert (found.n_distinct, found.commonest_share) == (len(rows), counts.max() / 300)
    assert distinct_codes(codes) == len(rows)


def test_distinct_codes() -> None:
    assert distinct_codes(np.array([[1, 2], [2, 1], [1, 2]], np.uint8)) == 2
    assert distinct_codes(np.zeros((0, 4), np.uint8)) == 0
    with pytest.raises(TypeError, match="float"):
        distinct_codes(np.zeros((2, 2)))


def test_healthy_codes_raise_no_alarm(rng: np.random.Generator) -> None:
    for n_bits in (1, 8, 48):
        assert alarms(reference.random_codes(rng, 2000, n_bits, "uniform"), n_bits) == []
    labels = rng.integers(0, 10, 2000)
    per_class = reference.random_codes(np.random.default_rng(1), 10, 48, "uniform")
    assert alarms(per_class[labels], 48, labels) == []  # one code per class is the best there is
    assert alarms(per_class[labels], 48) == ["few distinct codes"]  # but without labels nobody can know
    for ideal in ([0b01010011, 0b10101100], [0b00010011, 0b01101000, 0b10000100]):  # every bit tells something
        few = labels % len(ideal)
        assert alarms(np.array(ideal, np.uint8)[few][:, None], 8, few) == []
    rare = np.minimum(rng.geometric(0.4, 2000) - 1, 9)
    assert alarms(per_class[rare], 48, rare) == []


@pytest.mark.parametrize("n_left", [3, 4, 5])
def test_codes_that_nearly_all_collapsed_raise_an_alarm(n_left: int, rng: np.random.Generator) -> None:
    labels = np.repeat(np.arange(10), 1000)
    codes = reference.random_codes(rng, n_left, 48, "uniform")[rng.integers(0, n_left, 10_000)]
    codes[rng.choice(10_000, 20, replace=False)] = reference.random_codes(rng, 20, 48, "uniform")
    assert "few distinct codes" in alarms(codes, 48, labels)


def test_collapsed_codes_raise_named_alarms_with_numbers(rng: np.random.Generator) -> None:
    labels = np.arange(1000) % 10
    constant = code_health(np.zeros((1000, 6), np.uint8), n_bits=48, labels=labels)
    assert dict(constant.alarms) == {
        "few distinct codes": "1 distinct codes for 1,000 items in 10 classes, or 1.0 codes weighed by their items",
        "one code for most items": "the commonest code holds 100.0% of them",
        "constant bits": "48 of 48 bits are the same in every code",
        "low entropy": "0.00 bits per bit on average, 1 is best",
    }
    one_bit = np.repeat(rng.integers(0, 2, (1000, 1)), 48, axis=1)
    assert "correlated bits" in alarms(pack(one_bit), 48)
    rare = rng.random((1000, 48)) < 0.02
    assert alarms(pack(rare), 48) == ["low entropy"]
    half = rng.random((1000, 48)) < 0.5
    half[:, :12] = False
    assert alarms(pack(half), 48) == ["constant bits"]
    half = rng.random((1000, 48)) < 0.5
    half[:700] = half[0]
    assert alarms(pack(half), 48, labels) == ["few distinct codes", "one code for most items"]
    assert alarms(pack(half), 48, (np.arange(1000) > 700).astype(np.int64)) == []  # 70 % are of one class


def test_multi_hot_classes_without_an_item_do_not_count() -> None:
    labels = np.zeros((4, 9), int)
    labels[[0, 1, 2, 3], [0, 0, 1, 5]] = 1
    found = code_health(np.arange(4, dtype=np.uint8)[:, None], n_bits=8, labels=labels)
    assert (found.n_classes, found.commonest_class_share) == (3, 0.5)


@pytest.mark.parametrize("sample", [100, 2**22])
def test_saturation_of_memory_maps(
    sample: int, tmp_path: Path, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "_BLOCK_BITS", 700)
    monkeypatch.setattr(health, "_SAMPLE_VALUES", sample)
    z = rng.normal(size=(1000, 12))
    np.save(tmp_path / "z.npy", z)
    np.save(tmp_path / "codes.npy", pack(z))
    codes, values = (np.load(tmp_path / f"{name}.npy", mmap_mode="r") for name in ("codes", "z"))
    found = code_health(codes, n_bits=12, z=values).saturation
    assert found is not None
    assert found.mean == pytest.approx(np.abs(z).mean(), rel=1e-6)
    rows = z[:: -(-z.size // sample)]
    np.testing.assert_allclose(found.percentiles, np.percentile(np.abs(rows), health.PERCENTILES), rtol=1e-6)


def test_bad_input_is_refused_with_what_was_seen() -> None:
    z = np.ones((3, 8))
    codes = pack(z)
    with pytest.raises(ValueError, match="at least 1 code"):
        code_health(codes[:0], n_bits=8)
    with pytest.raises(ValueError, match=r"z must have shape \(3, 8\).*got \(3, 7\)"):
        code_health(codes, n_bits=8, z=z[:, :7])
    with pytest.raises(ValueError, match="row 2: the code is not that of its z"):
        code_health(codes, n_bits=8, z=z * [[1], [1], [-1]])
    many = np.ones((70_001, 64))
    many[70_000, 3] = np.nan
    with pytest.raises(ValueError, match=r"NaN.* in 1 of 70001 items: 70000$"):
        code_health(pack(np.ones((70_001, 64))), n_bits=64, z=many)
    with pytest.raises(ValueError, match=r"labels.*\(3,\)"):
        code_health(codes, n_bits=8, labels=np.zeros(2, int))
