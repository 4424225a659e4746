"""Codes as others write them; and every refusal that names a call is a route to the right codes."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import hashindex as hx
from hashindex import HashIndex
from reference import codes_of

CODES = codes_of(7, 5)
BITS = hx.unpack(CODES, 64)
SIGNED = CODES.view(">i8").ravel().astype(np.int64)
TEXTS = hx.to_hex(CODES)
assert SIGNED.min() < 0


class Hash:
    """As of imagehash."""

    def __init__(self, bits: Any) -> None:
        self.hash = bits.reshape(8, 8)


class Route(NamedTuple):
    """What is given to a call, and another that its message names, which makes the codes."""

    call: Any
    given: Any
    route: str
    codes: Any = CODES


def add(values: Any) -> None:
    HashIndex(64).add(values)


def infer(values: Any) -> None:
    HashIndex().add(values)


WIDE = codes_of(8, 4, 128)
ROUTES = [
    Route(add, BITS.astype(np.float32), "pack(values)"),
    Route(add, BITS.astype(np.int8), "pack(values)"),
    Route(add, BITS.astype(np.int64).tolist(), "pack(values)"),
    Route(infer, 2 * BITS.astype(np.int8) - 1, "pack(values)"),
    Route(infer, (2 * BITS.astype(np.int64) - 1).tolist(), "pack(values)"),
    Route(add, BITS.astype(np.uint8), "pack()"),
    Route(infer, BITS.astype(np.uint8), "pack()"),
    Route(add, (CODES ^ 0x80).view(np.int8), "from_signed(values)"),
    Route(add, CODES.view(np.int8), "values.view(np.uint8)"),
    Route(add, CODES.tolist(), "np.asarray(values, np.uint8)"),
    Route(infer, CODES.astype(np.int32), "np.asarray(values, np.uint8)"),
    Route(add, SIGNED, "np.asarray(values, np.int64).view(np.uint64)"),
    Route(infer, SIGNED.tolist(), "np.asarray(values, np.int64).view(np.uint64)"),
    Route(add, [int(text, 16) for text in TEXTS] + [2**64], "from_ints(values, 64)", None),  # too wide: told
    Route(infer, WIDE.view(">u8").astype(np.uint64), "from_words(values)", WIDE),
    Route(infer, WIDE.view(np.uint64), "values.view(np.uint8)", WIDE),
    Route(infer, WIDE.view(">i8").astype(np.int64), "from_words(np.asarray(values, np.int64).view(np.uint64))", WIDE),
    Route(HashIndex(12).add, np.array([5, 2**11], np.uint64), "from_ints(values, 12)", hx.from_ints([5, 2**11], 12)),
    Route(HashIndex(12).add, [5, 2**11], "from_ints(values, 12)", hx.from_ints([5, 2**11], 12)),
    Route(add, [row.tobytes() for row in CODES], "from_bytes(values)"),
    Route(add, CODES[0].tobytes(), "from_bytes(values)", CODES[0]),
    Route(add, np.array([row.tobytes() for row in CODES], object), "from_bytes(values)"),
    Route(add, TEXTS, "from_hex(values)"),
    Route(add, np.array(TEXTS, object), "from_hex(values)"),
    Route(add, np.array([f"{int(text, 16):064b}" for text in TEXTS], object), "from_bits(values)"),
    Route(add, ["".join("01"[bit] for bit in row) for row in BITS.astype(int)], "from_bits(values)"),
    Route(add, [Hash(row) for row in BITS], "np.array([one.hash.ravel() for one in values])", BITS),
    Route(hx.from_hex, ["0" * 31 + "1", "0" * 32], "from_bits(texts)", np.array([[0, 0, 0, 1], [0] * 4], np.uint8)),
    Route(hx.from_hex, ["1000", "0000"], "from_hex(texts, 16)", np.array([[16, 0], [0, 0]], np.uint8)),
    Route(hx.from_hex, [TEXTS[0], " \n"], "from_hex([text for text in texts if text.strip()])", CODES[:1]),
    Route(hx.from_bits, ["10000001", ""], "from_bits([text for text in texts if text.strip()])", [[0x81]]),
    Route(hx.from_bits, TEXTS, "from_hex(texts)"),
    Route(hx.from_hex, [b"12", b"34"], "from_bytes(texts)", [[0x31, 0x32], [0x33, 0x34]]),
    Route(hx.from_bytes, TEXTS, "from_hex(rows)"),
    Route(hx.from_bytes, ["01" * 32], "from_bits(rows)", [[0x55] * 8]),
    Route(lambda texts: hx.from_hex(texts, 63), ["fe" * 8], "from_hex(texts, 63, align='left')", [[0xFE] * 8]),
    Route(
        lambda values: hx.from_ints(values, 64),
        SIGNED.tolist(),
        "from_ints([int(value) % 2**64 for value in values], 64)",
    ),
    Route(
        lambda values: hx.from_ints(values, 64), list(SIGNED), "from_ints([int(value) % 2**64 for value in values], 64)"
    ),
    Route(lambda values: hx.from_ints(values, 64), SIGNED, "values.view(np.uint64)"),
    Route(hx.from_words, WIDE.view(">i8").astype(np.int64), "from_words(words.view(np.uint64))", WIDE),
    Route(hx.from_signed, 2 * BITS.astype(np.int8) - 1, "pack(codes)"),
    Route(hx.from_signed, BITS.astype(np.int8), "pack(codes)"),
    Route(hx.pack, CODES.astype(np.int64), "np.asarray(values, np.uint8)"),
    Route(hx.pack, BITS * 3, "pack(np.asarray(values) > 0)"),
    Route(hx.pack, CODES, "packed codes need no call"),
]


@pytest.mark.parametrize("case", ROUTES, ids=[f"{i}: {case.route}" for i, case in enumerate(ROUTES)])
def test_a_refusal_is_a_route(case: Route) -> None:
    with pytest.raises((TypeError, ValueError)) as refused:
        case.call(case.given)
    assert case.route in str(refused.value)
    if case.route.startswith("packed"):
        return
    names = dict.fromkeys(("values", "texts", "rows", "words", "codes"), case.given)
    call = "pack(values)" if case.route == "pack()" else case.route
    if case.codes is None:
        with pytest.raises(ValueError, match="does not fit"):
            eval(call, {**vars(hx), **names})
        return
    made = eval(call, {"np": np, **vars(hx), **names})
    want = np.asarray(case.codes)
    n_bits = 12 if "12" in call else 64 if want.dtype == bool else 8 * want.shape[-1]
    index = HashIndex(n_bits)
    ids = index.add(made)
    held = index.get(ids)
    assert np.array_equal(held, np.atleast_2d(hx.pack(want) if want.dtype == bool else want))


def test_lines_of_a_file_are_read(tmp_path: Any) -> None:
    path = tmp_path / "hashes.txt"
    path.write_text("\r\n".join(TEXTS) + "\n")
    with path.open(newline="") as lines:
        assert np.array_equal(hx.from_hex(lines), CODES)
    assert np.array_equal(hx.from_hex(f"  {TEXTS[0]}\n"), CODES[0])


@given(st.integers(1, 80), st.integers(0, 2**32 - 1))
def test_hexadecimal_of_any_width_is_read_as_it_was_written(n_bits: int, seed: int) -> None:
    """As numbers, which imagehash writes, as few digits as they need or whole bytes; and from the left."""
    bits = np.random.default_rng(seed).integers(0, 2, (3, n_bits)).astype(np.bool_)
    codes = hx.pack(bits)
    numbers = [int("".join("01"[bit] for bit in row), 2) for row in bits.astype(int)]
    assert np.array_equal(hx.from_hex(hx.to_hex(codes), n_bits, align="left"), codes)
    for digits in {(n_bits + 3) // 4, (n_bits + 7) // 8 * 2}:
        texts = [f"{number:0{digits}x}" for number in numbers]
        assert np.array_equal(hx.from_hex(texts, n_bits, align="right"), codes)
        if 4 * digits == n_bits:
            assert np.array_equal(hx.from_hex(texts, n_bits), codes)
        else:
            with pytest.raises(ValueError, match="two ways"):
                hx.from_hex(texts, n_bits)


@given(st.integers(1, 80), st.integers(0, 2**32 - 1))
def test_bits_and_bytes_of_any_width(n_bits: int, seed: int) -> None:
    bits = np.random.default_rng(seed).integers(0, 2, (3, n_bits)).astype(np.bool_)
    codes = hx.pack(bits)
    texts = ["".join("01"[bit] for bit in row) for row in bits.astype(int)]
    assert np.array_equal(hx.from_bits(texts), codes)
    assert np.array_equal(hx.from_bits(texts[0]), codes[0])
    rows = [row.tobytes() for row in codes]
    assert np.array_equal(hx.from_bytes([memoryview(row) for row in rows], n_bits), codes)
    assert np.array_equal(hx.from_bytes(rows[0], n_bits), codes[0])
    assert hx.from_bits([], n_bits).shape == hx.from_bytes([], n_bits).shape == (0, (n_bits + 7) // 8)


def test_masked_values_have_no_meaning() -> None:
    for call, dtype in (
        (hx.pack, np.float64),
        (hx.from_signed, np.int8),
        (hx.from_words, np.uint64),
        (lambda values: hx.from_ints(values[0], 8), np.int64),
        (lambda values: hx.hamming(values, values), np.uint8),
    ):
        with pytest.raises(TypeError, match="masked array"):
            call(np.ma.array([[1, 2]], dtype, mask=[[True, False]]))


def test_arrays_of_arrow_are_routes_too() -> None:
    pa = pytest.importorskip("pyarrow")
    binary = pa.array([row.tobytes() for row in CODES], pa.binary(8))
    for column, route in (
        (pa.array(TEXTS), "from_hex(values.to_pylist())"),
        (pa.array([row.tobytes() for row in CODES], pa.binary()), "from_bytes(values.to_pylist())"),
        (pa.array(SIGNED.view(np.uint64)), "values.to_numpy()"),
        (pa.array(CODES.tolist(), pa.list_(pa.uint8())), "np.array(values.to_pylist(), np.uint8)"),
        (binary.dictionary_encode(), "values.cast(values.type.value_type)"),
        (binary[0], "from_bytes(values.as_py())"),
    ):
        with pytest.raises(TypeError) as refused:
            add(column)
        assert route in str(refused.value)
        index = HashIndex(64)
        index.add(eval(route, {"np": np, **vars(hx), "values": column}))
        assert np.array_equal(index.get(index.ids()), CODES[: len(index)])
    with pytest.raises(TypeError, match=r"got a Table, expected one column of it: values\[name\] is one"):
        add(pa.table({"code": binary}))
    with pytest.raises(ValueError, match=r"fixed_size_binary\[0\], of no width"):
        add(pa.array([b""], pa.binary(0)))


def test_integers_come_as_one_or_as_any_row() -> None:
    want = hx.from_ints([5, 2**63], 64)
    for values in ((5, 2**63), iter([5, 2**63]), (one for one in (5, 2**63)), np.array([5, 2**63], np.uint64)):
        assert np.array_equal(hx.from_ints(values, 64), want)
    for one in (5, np.int8(5), np.array(5), np.array(5, object)):
        assert np.array_equal(hx.from_ints(one, 64), want[0])
    assert np.array_equal(hx.from_ints(2**99, 100), hx.from_ints([2**99], 100)[0])
    assert hx.from_ints(iter([]), 12).shape == (0, 2)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (None, "takes an integer, or several of them, got NoneType$"),
        ("12", "got str; from_hex reads text, from_bytes bytes"),
        (b"12", "got bytes; from_hex"),
        (5.0, "got float$"),
        (np.array(5.0), "row 0: expected an integer, got float64"),
        (np.bool_(True), "got bool"),
        (np.array([[1, 2]]), "row 0: expected an integer, got ndarray"),
        (iter([1, "2"]), "row 1: expected an integer, got str"),
    ],
)
def test_what_are_no_integers_is_told(values: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        hx.from_ints(values, 64)
    with pytest.raises(TypeError, match="from_bytes takes bytes, or several of them, got int"):
        hx.from_bytes(5)  # type: ignore[arg-type]


def test_what_can_be_walked_through_once_becomes_a_list() -> None:
    for walked in (iter(CODES), map(np.asarray, CODES), (row for row in CODES)):
        index = HashIndex(64)
        with pytest.raises(TypeError, match=r"got \w+, expected packed uint8 .*; list\(values\) makes a list of it"):
            index.add(walked)
        index.add(list(walked))
        assert np.array_equal(index.get(index.ids()), CODES)


def test_columns_of_pandas() -> None:
    pandas = pytest.importorskip("pandas")
    signed = pandas.Series(SIGNED)
    with pytest.raises(ValueError, match="is negative") as refused:
        hx.from_ints(signed, 64)
    assert np.array_equal(eval(str(refused.value).partition("read by ")[2], {**vars(hx), "values": signed}), CODES)
    with pytest.raises(TypeError, match=r"from_hex\(values\)"):
        add(pandas.Series(TEXTS))
    assert np.array_equal(hx.from_hex(pandas.Series(TEXTS)), CODES)
    index = HashIndex(64)
    index.add(pandas.DataFrame(BITS))  # which lies by columns
    assert np.array_equal(index.get(index.ids()), CODES)


def test_zeros_at_the_end_of_bytes_are_kept() -> None:
    rows = [b"abcdefg\0", b"hijklm\0\0"]
    assert hx.from_bytes(np.array(rows)).tobytes() == hx.from_bytes(rows).tobytes() == b"".join(rows)
    assert hx.from_bytes(np.array([], "S8"), 64).shape == (0, 8)


@pytest.mark.parametrize("given", [b"abcd", None, 7, [1]])
def test_what_is_no_text_is_told(given: Any) -> None:
    for read in (hx.from_hex, hx.from_bits):
        with pytest.raises(TypeError, match="from_(hex|bits) takes a str|row 0: expected a str"):
            read(given)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: hx.from_hex(["fff"], 9, align="right"), "row 0: 0fff does not fit 9 bits"),
        (lambda: hx.from_hex(["ff"], 8, align="middle"), "align must be"),  # type: ignore[arg-type]
        (lambda: hx.from_hex(["ff", "f"], 8), "row 1: 8 bits take 2 hexadecimal digits, got 1"),
        (lambda: hx.from_bits(["012"]), "row 0: not digits 0 and 1"),
        (lambda: hx.from_bits(["01", "0"]), "row 1: 2 bits take 2 digits"),
        (lambda: hx.from_bits([]), "n_bits="),
        (lambda: hx.from_bytes([b"1", b"22"]), "row 1: 8 bits take 1 bytes, got 2"),
        (lambda: hx.from_bytes([b"\xff"], 7), "row 0: the last 1 bits"),
        (lambda: hx.from_bytes([]), "n_bits="),
        (lambda: hx.from_words(np.zeros(3, np.uint64)), r"shape \(n, n_words\), got \(3,\)"),
    ],
)
def test_what_cannot_be_read(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
