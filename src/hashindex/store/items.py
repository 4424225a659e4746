"""Keys and payloads of codes, in the database of a store."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .change import Change
from .manifest import Manifest

BLOCK = 1000  # items read at once


class Noted(NamedTuple):
    """Keys and payloads, as JSON, of codes to be added."""

    keys: list[str | None] | None
    payloads: list[str | None] | None


def as_keys(keys: Any, n: int) -> list[str | None]:
    """``n`` keys for codes; TypeError, ValueError for what is none, or given twice."""
    given = [keys] if isinstance(keys, str) else list(keys)
    if len(given) != n:
        raise ValueError(f"got {len(given)} keys for {n} codes")
    texts = [_checked(key) for key in given if key is not None]
    if len(set(texts)) != len(texts):
        twice = next(key for key, n in Counter(texts).items() if n > 1)
        raise ValueError(f"key {twice!r} is given twice")
    return given


def _checked(key: Any) -> str:
    if not isinstance(key, str):
        raise TypeError(f"a key must be a str (or None, for a code without one), got {key!r:.80}")
    try:
        key.encode()
    except UnicodeEncodeError:
        raise ValueError(f"key {key!r:.80} is no text: for a file's name take os.fsencode(name).hex()") from None
    return key


def as_payloads(payloads: Any, n: int) -> list[str | None]:
    """``n`` values as JSON; TypeError, ValueError for what JSON cannot say."""
    given = list(payloads)
    if len(given) != n:
        raise ValueError(f"got {len(given)} payloads for {n} codes")
    try:
        return [None if value is None else json.dumps(value, allow_nan=False) for value in given]
    except RecursionError:
        raise ValueError("payloads must be what JSON can say: one is nested too deeply") from None
    except (TypeError, ValueError) as error:
        raise type(error)(f"payloads must be what JSON can say: {error}") from None


def check_free(manifest: Manifest, keys: Sequence[str | None], ids: NDArray[np.int64]) -> None:
    """ValueError for a key that another id has."""
    with manifest.explained():
        for key, one in zip(keys, ids.tolist(), strict=True):
            holder = None if key is None else manifest.one("SELECT id FROM items WHERE key = ?", key)
            if holder not in (None, one):
                raise ValueError(f"key {key!r} belongs to id {holder} already; nothing was added")


def record(manifest: Manifest, change: Change) -> None:
    """Write what a change says of items. Ids that are removed and come again keep what they had."""
    run, many = manifest.connection.execute, manifest.connection.executemany
    if change.cleared:
        run("DELETE FROM items")
    elif len(change.removed) and manifest.one("SELECT EXISTS (SELECT 1 FROM items)"):
        gone = np.setdiff1d(change.removed, change.ids)
        many("DELETE FROM items WHERE id = ?", ((one,) for one in gone.tolist()))
    for column, values in (("key", change.keys), ("payload", change.payloads)):
        if values is not None:
            many(
                f"INSERT INTO items (id, {column}) VALUES (?, ?) "
                f"ON CONFLICT (id) DO UPDATE SET {column} = excluded.{column}",
                ((one, value) for one, value in zip(change.ids.tolist(), values, strict=True) if value is not None),
            )


def find(manifest: Manifest, keys: Sequence[Any]) -> NDArray[np.int64]:
    """The ids of keys, -1 for one that is not there."""
    texts = [_checked(key) for key in keys]
    with manifest.explained():
        found = [manifest.one("SELECT id FROM items WHERE key = ?", key) for key in texts]
    return np.array([-1 if one is None else one for one in found], np.int64)


def of(manifest: Manifest, ids: NDArray[np.int64]) -> list[tuple[str | None, Any]]:
    """Key and payload of each of ``ids`` (n,), None for what is not there."""
    ask = manifest.connection.execute
    with manifest.explained():
        rows = [ask("SELECT key, payload FROM items WHERE id = ?", (one,)).fetchone() for one in ids.tolist()]
    return [(None, None) if row is None else (row[0], _value(manifest, row[1])) for row in rows]


def block(manifest: Manifest, after: int) -> list[tuple[int, str | None, Any]]:
    """Id, key and payload of the next items behind an id; none at the end."""
    with manifest.explained():
        rows = manifest.connection.execute(
            "SELECT id, key, payload FROM items WHERE id > ? ORDER BY id LIMIT ?", (after, BLOCK)
        ).fetchall()
    return [(one, key, _value(manifest, payload)) for one, key, payload in rows]


def all_ids(manifest: Manifest, change: int) -> list[int] | None:
    """The ids of all items as a change left them; None if another has been committed since."""
    with manifest.explained():
        manifest.connection.execute("BEGIN")
        try:
            if manifest.head().change != change:
                return None
            return [row[0] for row in manifest.connection.execute("SELECT id FROM items ORDER BY id")]
        finally:
            manifest.rollback()


def _value(manifest: Manifest, text: Any) -> Any:
    try:
        return None if text is None else json.loads(text)
    except (ValueError, TypeError, RecursionError):
        raise ValueError(f"{manifest.path} is damaged: {text!r:.80} is no payload; restore it from a copy") from None
