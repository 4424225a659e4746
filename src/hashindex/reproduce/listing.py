"""The findings as text: one listing per experiment, means over seeds with 95 % confidence intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..evaluate.comparison import shown

if TYPE_CHECKING:
    from .findings import Findings

FIRST = "HashNet"
HEAD = ("method", "MAP", "by order of ties", "P@H<=2", "empty", "distinct", "HashNet's gain", "train s", "images/s")
GPU_HEAD = "GPU GiB"


def listings(findings: Findings) -> str:
    """Every experiment's listing, as Markdown."""
    parts: list[str] = []
    missing: dict[str, list[str]] = {}  # experiments of a title
    for name, title in findings.titles.items():
        if not findings.methods(name):
            missing.setdefault(title, []).append(name)
            continue
        rows = [_row(findings, name, method) for method in findings.methods(name)]
        seeds = len(findings.values(name, findings.methods(name)[0]))
        n_bits = next(one.n_bits for one in findings.findings if one.experiment == name)
        on_gpu = any(one.train_gpu_bytes for one in findings.findings if one.experiment == name)
        head = (*HEAD, GPU_HEAD) if on_gpu else HEAD
        parts.append(f"{title}; {n_bits} bits, {seeds} seed{'s' if seeds > 1 else ''}\n\n{_columns(head, rows)}")
    for title, names in missing.items():
        parts.append(f"{title}: not measured, there was no GPU ({', '.join(names)})")
    machine = ", ".join(f"{name} {value}" for name, value in findings.machine.items())
    return "\n\n".join(parts) + f"\n\n{findings.command}; {findings.n_threads} threads; {machine}"


def _row(findings: Findings, experiment: str, method: str) -> tuple[str, ...]:
    def mean(measure: str) -> float:
        return findings.mean(experiment, method, measure).mean

    n_seeds, n_most = (len(findings.values(experiment, name)) for name in (method, FIRST))
    fewer = f" (seeds: {n_seeds})" if n_seeds < n_most else ""
    gains = method != FIRST and FIRST in findings.methods(experiment)
    trains, on_gpu = (
        None not in findings.values(experiment, method, measure).values()
        for measure in ("train_items", "train_gpu_bytes")
    )
    return (
        method + fewer,
        shown(findings.mean(experiment, method)),
        f"{mean('map_worst'):.3f} to {mean('map_best'):.3f}",
        shown(findings.mean(experiment, method, "precision_within_2")),
        f"{100 * mean('empty_share'):.1f} %",
        f"{mean('n_distinct'):,.0f}",
        shown(findings.gain(experiment, FIRST, method), "+") if gains else "",
        f"{mean('train_seconds'):,.1f}",
        f"{mean('train_items') / mean('train_seconds'):,.0f}" if trains else "",
        f"{mean('train_gpu_bytes') / 2**30:.1f}" if on_gpu else "",
    )


def _columns(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    rows = [row[: len(head)] for row in rows]
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    lines = [head, tuple("-" * width for width in widths), *rows]
    return "\n".join(
        "| " + " | ".join(f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True)) + " |" for line in lines
    )
