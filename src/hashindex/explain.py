"""What a search did, part by part, beside what was predicted."""

from __future__ import annotations

from typing import NamedTuple

from .search.plan import PlannedPart
from .search.readable import Report
from .segments.segment import Segment
from .structures import STRUCTURES


class PartReport(NamedTuple):
    """What a search did in one part of the index; counts and times are those of all queries."""

    part: str
    n_codes: int
    n_distinct: int
    method: str
    predicted_lookups: float
    lookups: int
    predicted_candidates: float
    candidates: int
    predicted_seconds: float
    seconds: float
    bytes_per_code: float

    @classmethod
    def of(cls, part: PlannedPart, report: Report, n_queries: int) -> PartReport:
        """Put what was planned for a part and what was done there together."""
        segment, (lookups, candidates, nanoseconds) = part.segment, part.choice.predicted
        return cls(
            part=part.name,
            n_codes=segment.n_codes,
            n_distinct=segment.n_distinct,
            method=part.choice.structure.name,
            predicted_lookups=n_queries * lookups,
            lookups=report.lookups,
            predicted_candidates=n_queries * candidates,
            candidates=report.candidates,
            predicted_seconds=n_queries * nanoseconds * 1e-9,
            seconds=report.nanoseconds * 1e-9,
            bytes_per_code=nbytes(segment) / max(segment.n_rows, 1),
        )


class Explanation(NamedTuple):
    """The parts of an index that a search went through; ``print`` it for a table."""

    n_queries: int
    n_codes: int
    bytes_per_code: float  # everything included: codes, ids, tables
    steps: tuple[PartReport, ...]

    def __str__(self) -> str:
        columns = ("part", "codes", "distinct", "method", "lookups", "candidates", "us per query", "bytes per code")
        rows = [columns, *(self._row(step) for step in self.steps)]
        widths = [max(len(row[i]) for row in rows) for i in range(len(columns))]
        lines = [
            "  ".join(
                text.ljust(w) if i in (0, 3) else text.rjust(w)
                for i, (text, w) in enumerate(zip(row, widths, strict=True))
            )
            for row in rows
        ]
        head = f"{self.n_queries:,} queries, {self.n_codes:,} codes, {self.bytes_per_code:.1f} bytes per code"
        note = "lookups, candidates and time per query: predicted -> measured"
        return "\n".join([head, *(line.rstrip() for line in lines), note])

    def _row(self, step: PartReport) -> tuple[str, ...]:
        n = max(self.n_queries, 1)
        return (
            step.part,
            f"{step.n_codes:,}",
            f"{step.n_distinct:,}",
            step.method,
            _both(step.predicted_lookups / n, step.lookups / n),
            _both(step.predicted_candidates / n, step.candidates / n),
            _both(step.predicted_seconds / n * 1e6, step.seconds / n * 1e6, 2),
            f"{step.bytes_per_code:.1f}",
        )


def _both(predicted: float, measured: float, digits: int = 0) -> str:
    known = f"{predicted:,.{digits}f}" if predicted == predicted else "?"  # NaN: it depends on the queries
    return f"{known} -> {measured:,.{digits}f}"


def nbytes(segment: Segment) -> int:
    """Bytes of a segment's arrays and of all that structures have built for it."""
    built = list(segment.learned.states.items())
    arrays = [array for name, state in built for array in STRUCTURES[name].arrays(state).values()]
    owners = segment.learned.owners
    return segment.nbytes + sum(array.nbytes for array in arrays) + (0 if owners is None else owners.nbytes)
