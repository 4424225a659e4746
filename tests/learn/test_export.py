"""ONNX files: the codes they make are those of the model, bit for bit."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnxscript")
runtime = pytest.importorskip("onnxruntime")

from torch import nn  # noqa: E402

from hashindex.codes import pack  # noqa: E402
from hashindex.learn import HashNet  # noqa: E402
from hashindex.learn.backbones import conv_net, mlp, small_resnet  # noqa: E402
from hashindex.learn.export import CodeNetwork, to_onnx  # noqa: E402

NEAR_ZERO = 1e-4  # where another order of summation may change the sign of z


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> Iterator[None]:
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(n_threads)


def opened(path: Path) -> Callable[[Any], Any]:
    """Return the file as a function, items -> codes."""
    options = runtime.SessionOptions()
    options.intra_op_num_threads = 1
    session = runtime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return lambda items: session.run(["codes"], {"items": items})[0]


def network(backbone: nn.Module, width: int, n_bits: int) -> nn.Sequential:
    """A backbone and a hash layer whose norms are as if trained: no two alike."""
    torch.manual_seed(0)
    whole = nn.Sequential(backbone, nn.Sequential(nn.Linear(width, n_bits), nn.BatchNorm1d(n_bits, affine=False)))
    for module in whole.modules():
        if isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d)):
            nn.init.normal_(module.running_mean, 0, 0.3)  # type: ignore[arg-type]
            nn.init.uniform_(module.running_var, 0.5, 2)  # type: ignore[arg-type]
    return whole.eval()


def z_of(network: nn.Module, items: Any) -> Any:
    with torch.inference_mode():
        return network(torch.from_numpy(items).float()).numpy()


@pytest.mark.parametrize(
    ("make", "width", "shape", "n_bits", "dtype"),
    [
        (lambda: mlp(10), 256, (10,), 13, "float32"),
        (lambda: conv_net((1, 8, 16)), 512, (1, 8, 16), 64, "uint8"),
        (lambda: small_resnet((3, 32, 28), (16, 32)), 32, (3, 32, 28), 1, "float32"),
    ],
)
def test_codes_are_those_of_the_network(
    tmp_path: Path, make: Any, width: int, shape: Any, n_bits: int, dtype: Any
) -> None:
    original = network(make(), width, n_bits)
    if len(shape) == 3:
        original = original.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    to_onnx(original, n_bits, shape, tmp_path / "model.onnx", dtype=dtype)
    rng = np.random.default_rng(0)
    items = (rng.integers(0, 256, (70, *shape)) if dtype == "uint8" else rng.normal(size=(70, *shape))).astype(dtype)
    z = z_of(original, items)
    items, z = items[(abs(z) > NEAR_ZERO).all(axis=1)], z[(abs(z) > NEAR_ZERO).all(axis=1)]
    assert len(items) > 50
    encode = opened(tmp_path / "model.onnx")
    for n in (len(items), 2, 1, 0):
        codes = encode(items[:n])
        assert codes.dtype == np.uint8
        np.testing.assert_array_equal(codes, pack(z[:n]).reshape(n, (n_bits + 7) // 8))


def test_a_trained_model_makes_the_same_codes_elsewhere(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 4, 200)
    items = (rng.standard_normal((4, 10))[labels] + rng.standard_normal((200, 10))).astype(np.float32)
    model = HashNet(n_bits=12, n_steps=20, batch_size=32, device="cpu").fit(items, labels)
    assert model.item_shape is not None
    to_onnx(model.network, model.n_bits, model.item_shape, tmp_path / "model.onnx")
    certain = (abs(z_of(model.network, items)) > NEAR_ZERO).all(axis=1)
    assert certain.sum() > 150
    np.testing.assert_array_equal(opened(tmp_path / "model.onnx")(items[certain]), model.encode(items[certain]))


@pytest.mark.parametrize("n_bits", [1, 7, 8, 9, 64, 1000])
def test_packing_is_that_of_codes(n_bits: int) -> None:
    z = np.random.default_rng(0).integers(-1, 2, (50, n_bits)).astype(np.float32)
    with torch.inference_mode():
        np.testing.assert_array_equal(CodeNetwork(nn.Identity())(torch.from_numpy(z)).numpy(), pack(z))


def test_zero_and_nan_give_bit_0(tmp_path: Path) -> None:
    to_onnx(nn.Identity(), 11, (11,), tmp_path / "model.onnx")
    values = np.array([0.0, -0.0, np.nan, np.inf, -np.inf, 1e-30, -1e-30, 1, -1], np.float32)
    z = np.random.default_rng(0).choice(values, (300, 11))
    np.testing.assert_array_equal(opened(tmp_path / "model.onnx")(z), np.packbits(z > 0, axis=1))


def test_the_file_is_named_silent_and_says_n_bits(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    original = nn.Sequential(nn.Linear(3, 5), nn.BatchNorm1d(5)).train()
    before = {name: tensor.clone() for name, tensor in original.state_dict().items()}
    to_onnx(original, 5, (3,), tmp_path / "model.onnx")
    assert capfd.readouterr() == ("", "")
    assert original.training
    assert all(torch.equal(tensor, before[name]) for name, tensor in original.state_dict().items())
    session = runtime.InferenceSession(tmp_path / "model.onnx", providers=["CPUExecutionProvider"])
    assert session.get_modelmeta().custom_metadata_map["n_bits"] == "5"
    (items,), (codes,) = session.get_inputs(), session.get_outputs()
    assert (items.name, items.type, items.shape[1:]) == ("items", "tensor(float)", [3])
    assert (codes.name, codes.type, codes.shape[1:]) == ("codes", "tensor(uint8)", [1])
    assert str(Path(torch.__file__).parent).encode() not in (tmp_path / "model.onnx").read_bytes()


def test_a_failure_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(b"old")
    for n_bits, shape, dtype, message in (
        (5, (3,), "int8", "float32, uint8, got 'int8'"),
        (6, (3,), "float32", r"\(n, 6\); two items gave shape \(2, 5\)"),
        (5, (4,), "float32", r"no items of shape \(4,\)"),
        (0, (3,), "float32", "n_bits must be between"),
    ):
        with pytest.raises(ValueError, match=message):
            to_onnx(nn.Linear(3, 5), n_bits, shape, path, dtype=dtype)  # type: ignore[arg-type]

    def full(self: Path, data: bytes) -> int:
        with self.open("wb") as file:
            file.write(data[:10])
        raise OSError("disk full")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="disk full"):
        to_onnx(nn.Linear(3, 5), 5, (3,), path)
    assert [file.name for file in tmp_path.iterdir()] == ["model.onnx"]
    assert path.read_bytes() == b"old"
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    with pytest.raises(ImportError, match=r"pip install 'hashindex\[onnx\]'"):
        to_onnx(nn.Linear(3, 5), 5, (3,), path)
