"""Packing, reading and refusing codes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import hashindex as hx
import reference

bits = hnp.arrays(np.bool_, st.tuples(st.integers(0, 5), st.integers(1, 70)))


@given(bits)
def test_pack_and_unpack_are_inverse(values: Any) -> None:
    codes = hx.pack(values)
    assert codes.dtype == np.uint8
    assert codes.shape == (len(values), (values.shape[1] + 7) // 8)
    np.testing.assert_array_equal(hx.unpack(codes, values.shape[1]), values)


def test_bit_order_and_sign_are_the_contract() -> None:
    assert hx.pack([1.0, 0.0, -2.0, 0.5, -0.0, 0, 0, 3, 1]).tolist() == [0b10010001, 0b10000000]
    assert hx.pack([[True, False]]).tolist() == [[0b10000000]]
    assert hx.from_ints([1], 12).tolist() == [[0x00, 0x10]]
    assert hx.from_hex("80ff").tolist() == [0x80, 0xFF]
    assert hx.unpack(np.array([0x80, 0x10], np.uint8), 12).tolist() == [True] + [False] * 10 + [True]
    index = hx.HashIndex(64)
    index.add(np.array([1], np.uint64))
    assert index.search(hx.from_ints([1], 64), radius=0).ids.tolist() == [0]


@given(st.integers(1, 200).flatmap(lambda n: st.tuples(st.just(n), st.lists(st.integers(0, 2**n - 1), max_size=5))))
def test_integers_round_trip(case: tuple[int, list[int]]) -> None:
    n_bits, values = case
    codes = hx.from_ints(values, n_bits)
    texts = ["".join("01"[int(bit)] for bit in row) for row in hx.unpack(codes, n_bits)]
    assert [int(text, 2) for text in texts] == values


@given(st.lists(st.binary(min_size=6, max_size=6), min_size=1))
def test_hexadecimal_round_trips(values: list[bytes]) -> None:
    texts = [value.hex().upper() for value in values]
    codes = hx.from_hex(texts)
    assert codes.tobytes() == b"".join(values)
    assert hx.to_hex(codes) == [text.lower() for text in texts]


def test_signed_embeddings() -> None:
    packed = np.arange(256, dtype=np.uint8)[None]
    signed = (packed.astype(np.int16) - 128).astype(np.int8)
    np.testing.assert_array_equal(hx.from_signed(signed), packed)
    with pytest.raises(TypeError, match="int8"):
        hx.from_signed(packed)  # type: ignore[arg-type]


@given(st.integers(1, 300), st.integers(0, 2**32 - 1))
def test_hamming_counts_differing_bits(n_bits: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    a, b = (
        reference.random_codes(rng, 4, n_bits, "uniform"),
        reference.random_codes(rng, 4, n_bits, "uniform"),
    )
    matrix = reference.hamming_matrix(a, b)
    assert hx.hamming(a, b).dtype == np.int32
    np.testing.assert_array_equal(hx.hamming(a[:, None], b), matrix)
    np.testing.assert_array_equal(hx.hamming(a, b), np.diag(matrix))
    np.testing.assert_array_equal(hx.hamming(a[0], b), matrix[0])


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: hx.pack(["a"]), TypeError, "real numbers"),
        (lambda: hx.pack([[1.0], [np.nan]]), ValueError, "row 1"),
        (lambda: hx.pack(np.zeros((2, 0))), ValueError, "n_bits >= 1"),
        (lambda: hx.pack(3.0), ValueError, "shape"),
        (lambda: hx.from_hex(["00ff", "00f"]), ValueError, "row 1: 16 bits take 4 hex.* got 3"),
        (lambda: hx.from_hex(["00", "0g"]), ValueError, "row 1: not hexadecimal: '0g'"),
        (lambda: hx.from_hex(["0 1 "]), ValueError, "row 0: not hexadecimal"),
        (lambda: hx.from_hex(["00", None]), TypeError, "row 1.*NoneType"),  # type: ignore[list-item]
        (lambda: hx.from_hex(["ff"], 7, align="left"), ValueError, "row 0: the last 1 bits"),
        (lambda: hx.from_hex([]), ValueError, "n_bits="),
        (lambda: hx.from_ints([0, 256], 8), ValueError, "row 1: 256 does not fit 8 bits"),
        (lambda: hx.from_ints([-1], 8), ValueError, "two's complement"),
        (lambda: hx.from_ints([1.0], 8), TypeError, "row 0"),  # type: ignore[list-item]
        (lambda: hx.to_hex(np.zeros((1, 2))), TypeError, "uint8"),  # type: ignore[arg-type]
        (lambda: hx.hamming(np.zeros(8), np.zeros(8)), TypeError, "pack"),  # type: ignore[arg-type]
        (lambda: hx.hamming(np.zeros(8, np.uint8), np.zeros(7, np.uint8)), ValueError, "one width"),
        (lambda: hx.unpack(np.zeros((1, 8), np.uint8), 48), ValueError, "expected"),
    ],
)
def test_wrong_input(call: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call()


REFUSED: list[tuple[Any, type[Exception], str]] = [
    (np.zeros((3, 64), np.float32), TypeError, r"float32.*pack\(values\)"),
    (np.zeros((3, 8), np.int8), TypeError, r"int8.*from_signed\(values\)"),
    (np.zeros((3, 8), np.int64), TypeError, r"int64.*np\.uint8\)"),
    (np.zeros((3, 64), np.uint8), ValueError, r"\(3, 64\), expected \(n, 8\).*pack\(\)"),
    (np.full((3, 7), 9, np.uint8), ValueError, r"\(3, 7\), expected \(n, 8\)"),
    (np.zeros((2, 3, 8), np.uint8), ValueError, r"\(2, 3, 8\)"),
    (np.uint8(3), ValueError, "shape"),
    (["00" * 8], TypeError, r"from_hex\(values\)"),
    (np.zeros((2, 63), np.bool_), ValueError, r"bool of shape \(2, 63\)"),
    (np.zeros((2, 2), np.uint64), ValueError, r"from_words\(values\)"),
    ([[1, 2], [3]], TypeError, "cannot be read"),
    (None, TypeError, "got NoneType"),
]


@pytest.mark.parametrize(("codes", "error", "message"), REFUSED)
def test_what_could_be_misread_is_refused(codes: Any, error: type[Exception], message: str) -> None:
    index = hx.HashIndex(64)
    with pytest.raises(error, match=f"(?s)codes: .*{message}"):
        index.add(codes)
    assert len(index) == 0
    with pytest.raises(error, match="queries: "):
        index.search(codes, k=1)


def test_pad_bits_must_be_zero() -> None:
    index = hx.HashIndex(12)
    with pytest.raises(ValueError, match="codes: row 1: the last 4 bits of a 12-bit code"):
        index.add(np.array([[1, 0xF0], [1, 0x08]], np.uint8))
    assert len(index) == 0


def test_columns_of_bits_do_not_become_a_width() -> None:
    columns = np.random.default_rng(0).integers(0, 2, (5, 64), dtype=np.uint8)
    with pytest.raises(ValueError, match=r"looks like unpacked bits.*n_bits=512"):
        hx.HashIndex().add(columns)
    hx.HashIndex(512).add(columns)  # said aloud, it is believed


class OnlyDlpack:
    """An array of another library, without NumPy's own protocol."""

    def __init__(self, array: Any, device: int = 1) -> None:
        self.array, self.device = array, device

    def __dlpack__(self, **options: Any) -> Any:
        return self.array.__dlpack__(**options)

    def __dlpack_device__(self) -> tuple[int, int]:
        return self.device, 0


def test_arrays_on_another_device_are_refused() -> None:
    with pytest.raises(TypeError, match="codes: the array lies on another device.*CPU"):
        hx.HashIndex(64).add(OnlyDlpack(np.zeros((1, 8), np.uint8), device=2))


def test_other_arrays_are_accepted(rng: np.random.Generator, tmp_path: Any) -> None:
    codes = reference.random_codes(rng, 6, 64, "uniform")
    np.save(tmp_path / "codes.npy", codes)
    read_only = codes.copy()
    read_only.setflags(write=False)
    forms: list[Any] = [
        hx.unpack(codes, 64),
        codes.view(">u8").astype(np.uint64).ravel(),
        codes.view(">u8").ravel(),
        OnlyDlpack(codes),
        np.load(tmp_path / "codes.npy", mmap_mode="r"),
        np.asfortranarray(codes),
        np.asfortranarray(hx.unpack(codes, 64)),
        hx.unpack(codes, 64)[::-1, ::-1][::-1, ::-1],
        codes.view(">u8").ravel()[::-1][::-1],
        np.repeat(codes, 2, axis=0)[::2],
        read_only,
    ]
    torch = pytest.importorskip("torch")
    forms.append(torch.from_numpy(codes))
    pa = pytest.importorskip("pyarrow")
    arrow = pa.array([b"x" * 8, *(row.tobytes() for row in codes)], pa.binary(8))
    forms.extend([arrow[1:], pa.chunked_array([arrow[1:3], arrow[3:]])])
    lists = pa.FixedSizeListArray.from_arrays(pa.array(np.concatenate([[9] * 8, codes.ravel()]), pa.uint8()), 8)
    forms.extend([lists[1:], pa.chunked_array([lists[1:2], lists[2:]])])
    for form in forms:
        index = hx.HashIndex(64)
        index.add(form)
        assert index.search(codes, radius=0).ids.tolist() == list(range(6))
        assert index.search(form, radius=0).ids.tolist() == list(range(6))
        assert index.search(form, k=1).ids.ravel().tolist() == list(range(6))
        index.replace(range(6), form)
        assert np.array_equal(index.get(range(6)), codes)
    packed = hx.pack(np.asfortranarray(hx.unpack(codes, 64).astype(np.float32)))
    assert packed.flags.c_contiguous
    assert np.array_equal(packed, codes)
    with pytest.raises(ValueError, match="1 nulls"):
        hx.HashIndex(64).add(pa.array([None, b"x" * 8], pa.binary(8)))


def test_other_arrow_arrays_and_masked_arrays_are_refused() -> None:
    """An Arrow array of numbers has bytes too, but not those of a code; a masked value has none."""
    pa = pytest.importorskip("pyarrow")
    index = hx.HashIndex(64)
    for array in (
        pa.array([1], pa.uint64()),
        pa.array([1.5]),
        pa.array([b"12345678"]),
        pa.array(["12345678"]),
        pa.array([True] * 64),
        pa.array(["a", "a"]).dictionary_encode(),
        pa.nulls(3),
    ):
        with pytest.raises(TypeError, match="Arrow array of .*, expected fixed_size_binary"):
            index.add(array)
    masked = np.ma.masked_array(np.zeros((2, 8), np.uint8), mask=np.eye(2, 8, dtype=np.bool_))
    with pytest.raises(TypeError, match="masked array"):
        index.add(masked)
    with pytest.raises(TypeError, match="masked array"):
        index.add(np.zeros((2, 8), np.uint8), ids=np.ma.masked_array([3, 4], mask=[False, True]))
    assert len(index) == 0
