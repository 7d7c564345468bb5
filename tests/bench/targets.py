"""The promised ratios, and whether a run meets them.

Each compares two clients of the same run, so the machine matters little.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from attrs import frozen

from .columns import BY_NAME, COLUMNS, Column
from .measures import MEASURES_BY_NAME, Results

LOOSE = 2
"""How much worse than its target a ratio must be to fail a run.

The least costs of all rounds must miss it that far, too: noise only ever adds to a cost.
"""


@frozen
class Target:
    """A promised ratio of a measure between two kinds of column.

    Attributes:
        measure: the measure.
        against: `reference` (the loop by hand on httpx), `peer` (openai-python), or the
            name of a column.
        limit: the bound on the ratio.
        columns: the columns it applies to.
        robust: whether the ratio is stable enough to fail a run.
    """

    measure: str
    against: str
    limit: float
    columns: tuple[str, ...]
    robust: bool = True


@frozen
class Verdict:
    """The result of one target for one column."""

    target: Target
    column: Column
    other: Column
    ratio: float

    @property
    def is_met(self) -> bool:
        """Whether the target is met."""
        return self._slack() >= 1

    @property
    def is_failed(self) -> bool:
        """Whether the target is missed by more than noise can explain."""
        return self.target.robust and self._slack() * LOOSE < 1

    @property
    def sign(self) -> str:
        """The sign of the comparison with the limit."""
        return "≥" if MEASURES_BY_NAME[self.target.measure].more_is_better else "≤"

    def _slack(self) -> float:
        quotient = self.target.limit / self.ratio if self.ratio else 1e9
        return 1 / quotient if self.sign == "≥" else quotient


_SDK = tuple(column.name for column in COLUMNS if column.is_sdk)
_FIRST = ("sdk",)

TARGETS = (
    Target("at 64", "reference", 0.8, _SDK),
    Target("at 1", "reference", 1.0, _SDK),
    Target("burst", "reference", 1.0, _SDK),
    Target("at 64", "peer", 1 / 20, _SDK),
    # The kernel's cost of a small read is the same for all clients, and differs between machines.
    Target("at 1", "peer", 1 / 6, _SDK, robust=False),
    Target("burst", "peer", 1 / 6, _SDK),
    Target("whole", "reference", 1.1, _SDK),
    Target("whole", "peer", 1 / 2, _SDK),
    Target("import", "httpx", 0.5, _FIRST),
    Target("construct", "httpx", 1.1, _SDK),
    Target("throughput 1000", "httpx-asyncio", 1.0, ("sdk-asyncio", "sdk-asyncio-httpx2"),
           robust=False),
    Target("throughput 1000", "httpx-asyncio", 1.5, ("sdk-aiohttp",), robust=False),
)  # fmt: skip


def judged(
    medians: Mapping[str, Results], targets: Iterable[Target] = TARGETS
) -> Iterator[Verdict]:
    """Return the result of each target for which the run has both numbers."""
    for target in targets:
        for name in target.columns:
            column = BY_NAME[name]
            other = {"reference": column.reference, "peer": column.peer}.get(
                target.against, target.against
            )
            mine = medians.get(name, {}).get(target.measure)
            its = medians.get(other, {}).get(target.measure)
            if mine is not None and its:
                yield Verdict(target, column, BY_NAME[other], mine / its)
