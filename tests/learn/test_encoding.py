"""An item has one code, however it comes: alone, in a batch, in a stream, or on its way into an index."""

from __future__ import annotations

import itertools
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

import hashindex as hx  # noqa: E402
from clusters import QUICK, clusters  # noqa: E402
from hashindex.baselines import ITQ  # noqa: E402
from hashindex.codes import pack  # noqa: E402
from hashindex.learn import HashNet  # noqa: E402

SHAPES = {"features": (10,), "images": (3, 6, 9)}


def pixels(shape: tuple[int, ...]) -> Any:
    """200 items of whole numbers 0..255, and their classes."""
    x, labels = clusters(shape=shape)
    return np.clip(128 + 40 * x, 0, 255).astype(np.uint8), labels


@pytest.fixture(scope="module", params=SHAPES)
def trained(request: pytest.FixtureRequest) -> tuple[HashNet, Any]:
    x, labels = pixels(SHAPES[request.param])
    return HashNet(**QUICK).fit(x, labels), x


def test_codes_are_the_signs_of_z_whatever_beta_is(trained: tuple[HashNet, Any]) -> None:
    model, x = trained
    z = model.project(x)
    assert z.dtype == np.float32
    np.testing.assert_array_equal(model.encode(x), pack(z))
    z[::3, 5] = 0  # dead units do produce exact zeros; their bit is 0
    for beta in (0.1, 1, 4, 100):
        np.testing.assert_array_equal(pack(np.tanh(beta * z)), pack(z))
    bits = np.unpackbits(pack(z), axis=1)[:, :12]
    np.testing.assert_array_equal(bits, z > 0)
    assert not bits[::3, 5].any()


def test_a_unit_that_is_exactly_zero_gives_bit_zero() -> None:
    x, labels = clusters()
    model = HashNet(**QUICK).fit(x, labels)
    linear = nn.Linear(10, 12, bias=False)
    nn.init.zeros_(linear.weight)
    model.network = nn.Sequential(linear)
    assert not model.encode(x).any()


def test_an_item_has_the_same_z_wherever_it_stands(trained: tuple[HashNet, Any]) -> None:
    model, x = trained
    z = model.project(x)
    for i in (0, 1, 63, 64, 130, 199):
        np.testing.assert_array_equal(model.project(x[i : i + 1])[0], z[i])
    np.testing.assert_array_equal(model.project(x[::-1])[::-1], z)
    np.testing.assert_array_equal(model.project(x[17:150]), z[17:150])
    assert model.project(x[:0]).shape == (0, 12)
    assert model.encode(x[:0]).shape == (0, 2)


def test_every_stream_of_the_items_gives_the_same_codes(trained: tuple[HashNet, Any]) -> None:
    model, x = trained
    codes = model.encode(x)
    cuts = [0, 1, 1, 4, 70, 197, 200]
    streams: dict[str, Any] = {
        "single items": iter(x),
        "lists": (item.tolist() for item in x),
        "odd batches": (x[a:b] for a, b in itertools.pairwise(cuts)),
        "one and many": itertools.chain([x[0]], [torch.from_numpy(x[1:101])], x[101:]),
        "loader": torch.utils.data.DataLoader(x, batch_size=33),
        "the array itself": x,
    }
    for name, stream in streams.items():
        blocks = list(model.stream(stream))
        assert [len(block) for block in blocks] == [64, 64, 64, 8], name
        np.testing.assert_array_equal(np.concatenate(blocks), codes, err_msg=name)
    assert list(model.stream([])) == []


def test_other_kinds_of_array_are_the_same_items(trained: tuple[HashNet, Any], tmp_path: Path) -> None:
    model, x = trained
    expected = model.encode(x)
    path = tmp_path / "items.npy"
    np.save(path, x)
    kinds = [x.astype(dtype) for dtype in (np.float16, np.float32, np.float64, np.int32, np.int64)]
    tensor = torch.from_numpy(x)
    tensors = [tensor, tensor.to(torch.bfloat16), tensor.float().requires_grad_()]
    layouts = [np.asfortranarray(x), x[:, ::-1][:, ::-1], np.load(path, mmap_mode="r"), x.tolist()]
    for same in (*kinds, *tensors, *layouts):
        np.testing.assert_array_equal(model.encode(same), expected)


def test_training_on_a_memory_map_of_bytes_is_training_on_floats(tmp_path: Path) -> None:
    x, labels = pixels((10,))
    path = tmp_path / "items.npy"
    np.save(path, x)
    mapped = HashNet(**QUICK).fit(np.load(path, mmap_mode="r"), labels)
    np.testing.assert_array_equal(mapped.project(x), HashNet(**QUICK).fit(x.astype(np.float64), labels).project(x))


def test_items_that_give_rows_in_ascending_order_alone_are_the_same_items() -> None:
    x, labels = pixels((10,))

    class Ascending:
        """As a data set of an HDF5 file."""

        shape, dtype = x.shape, x.dtype

        def __len__(self) -> int:
            return len(x)

        def __getitem__(self, rows: Any) -> Any:
            if not isinstance(rows, slice) and (np.diff(rows) <= 0).any():
                raise TypeError("Indexing elements must be in increasing order")
            return x[rows]

    options = QUICK | {"batch_size": 256}  # more than there are: some come twice
    model = HashNet(**options).fit(Ascending(), labels)
    np.testing.assert_array_equal(model.project(Ascending()), HashNet(**options).fit(x, labels).project(x))
    np.testing.assert_array_equal(ITQ(4).fit(Ascending()).encode(Ascending()), ITQ(4).fit(x).encode(x))


def test_an_endless_stream_is_read_as_needed_in_constant_memory(trained: tuple[HashNet, Any]) -> None:
    model, x = trained
    wide = np.zeros((700, *x.shape[1:]), np.uint8)  # a piece much longer than a block is cut up
    n_read = 0

    def endless() -> Iterator[Any]:
        nonlocal n_read
        for i in range(100_000):  # endless, but a reader that waits for the end fails rather than hangs
            n_read += 1
            yield x[i % 200].copy()

    stream = model.stream(endless())
    assert n_read == 0
    tracemalloc.start()
    for n_blocks in range(1, 30):
        assert next(stream).shape == (64, 2)
        assert n_read == 64 * n_blocks
    settled, _ = tracemalloc.get_traced_memory()
    for _ in range(30):
        next(stream)
    assert sum(len(codes) for codes in model.stream([wide])) == 700
    now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    block = 64 * x[0].size * 4
    assert now - settled < 10_000
    assert peak - settled < 4 * block + 50_000


def test_codes_go_straight_into_an_index(trained: tuple[HashNet, Any]) -> None:
    model, x = trained
    for index in (hx.HashIndex(12), hx.HashIndex()):
        ids = model.encode_into(index, iter(x))
        np.testing.assert_array_equal(ids, np.arange(200))
        assert ids.dtype == np.int64
        assert index.n_bits == 12
        codes = model.encode(x)
        distances, found = index.search(codes, k=1)
        assert not distances.any()
        np.testing.assert_array_equal(codes[found[:, 0]], codes)
    assert model.encode_into(index, []).shape == (0,)
    assert model.encode_into(index, [x[:3]]).tolist() == [200, 201, 202]
    with pytest.raises(ValueError, match=r"\(64, 12\), expected \(n, 16\)"):
        model.encode_into(hx.HashIndex(16), x)


@pytest.mark.parametrize("bad", ["nan", "shape", "error"])
def test_a_bad_item_leaves_the_index_as_it_was(trained: tuple[HashNet, Any], bad: str) -> None:
    model, x = trained
    index = hx.HashIndex(12)
    model.encode_into(index, x[:70])
    queries = model.encode(x)
    before = index.search(queries, radius=4)

    def items() -> Iterator[Any]:
        yield from x[:150]
        if bad == "error":
            raise KeyboardInterrupt("here")
        yield np.full(x.shape[1:], np.nan) if bad == "nan" else x[0][..., :-1]

    error: Any = {"nan": ValueError, "shape": ValueError, "error": KeyboardInterrupt}[bad]
    with pytest.raises(error, match={"nan": "1 items: 150", "shape": "expected", "error": "here"}[bad]):
        model.encode_into(index, items())
    assert len(index) == 70
    for was, now in zip(before, index.search(queries, radius=4), strict=True):
        np.testing.assert_array_equal(was, now)


def test_wrong_items_are_named_by_their_place(trained: tuple[HashNet, Any]) -> None:
    model, x = trained
    floats = x.astype(np.float64)
    floats[[130, 131]] = np.inf
    floats[7] = np.nan  # of another block
    for encode in (model.encode, model.project, ITQ(4).fit(x).encode):
        with pytest.raises(ValueError, match=r"in 3 of 200 items: 7, 130, 131$"):
            encode(floats)
    with pytest.raises(ValueError, match=r"NaN or infinity.*: 130"):
        list(model.stream([*x[:130], *floats[130:]]))
    with pytest.raises(ValueError, match=r"expected items of shape \(.*\) as in fit, got"):
        model.encode(x[..., :-1])
    with pytest.raises(ValueError, match=r"x\[None\]"):
        model.encode(x[0])
    with pytest.raises(TypeError, match="complex"):
        model.encode(x.astype(complex))
    for path in ("pictures", Path("pictures")):
        with pytest.raises(TypeError, match=r"got the path pictures; Images.below\(path\)"):
            model.encode_into(hx.HashIndex(12), path)  # type: ignore[arg-type]


def test_an_item_that_the_network_makes_nan_of_is_named() -> None:
    x, labels = clusters()
    model = HashNet(**QUICK).fit(x, labels)
    linear = nn.Linear(10, 12)
    linear.weight.data.fill_(1e20)
    model.network = nn.Sequential(linear, nn.Softmax(dim=1))  # of infinities: NaN
    large = x.copy()
    large[130] = 1e30
    index = hx.HashIndex(12)
    uses: list[Callable[[Any], Any]] = [
        model.encode,
        model.project,
        lambda items: [*model.stream(items)],
        lambda items: model.encode_into(index, items),
    ]
    for use in uses:
        with pytest.raises(ValueError, match=r"the network makes NaN of item 130, whose own values are finite"):
            use(large)
    assert len(index) == 0


def test_loaders_of_items_alone_and_of_pairs(trained: tuple[HashNet, Any]) -> None:
    model, x = trained
    tensors = torch.from_numpy(x[:30])
    alone = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(tensors), batch_size=8)
    np.testing.assert_array_equal(np.concatenate([*model.stream(alone)]), model.encode(x[:30]))
    pairs = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(tensors, torch.arange(30)), batch_size=8)
    with pytest.raises(ValueError, match="leave out labels"):
        list(model.stream(pairs))


def test_nothing_is_encoded_before_fit() -> None:
    model, x = HashNet(**QUICK), np.zeros((2, 10))
    for use in (model.encode, model.project, model.stream, lambda x: model.encode_into(hx.HashIndex(12), x)):
        with pytest.raises(RuntimeError, match=r"HashNet has not been trained yet: call fit"):
            use(x)
