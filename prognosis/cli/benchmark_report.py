"""The pages of a benchmark, put together from its results."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np

from prognosis.cli.cohort_report import calibrations, cohort_table, estimate_of, protocol_statement
from prognosis.cli.loading import Loaded
from prognosis.evaluation.benchmark import ERRORS
from prognosis.evaluation.leaderboard import BenchmarkResult, Entry
from prognosis.evaluation.leaderboard import Leaderboard as Results
from prognosis.evaluation.ranks import Ranking
from prognosis.evaluation.results import CalibrationTest
from prognosis.outputs.benchmark_content import (
    Absent,
    Against,
    Cell,
    Cost,
    DatasetPage,
    Decision,
    FoldDifference,
    MetricTable,
    RankTable,
    Row,
    SummaryPage,
    Tested,
)
from prognosis.outputs.estimate import in_days
from prognosis.outputs.report_content import Contender, Leaderboard

LEADING = {"uno_c": "Uno's C", "harrell_c": "Harrell's C", "ibs": "integrated Brier score"}
_TESTS = {
    "d_calibration": "tenths of the predicted survival",
    "aj_calibration": "mean predicted against observed incidence",
}
_DIFFER = 0.05


def dataset_page(
    result: BenchmarkResult, board: Results, loaded: Loaded, ours: str, created: str
) -> DatasetPage:
    """One data set's page.

    Args:
        result: The whole benchmark.
        board: This data set's results.
        loaded: Its cohort.
        ours: The name of our method among the entries.
        created: ISO 8601.
    """
    own = board.entry(ours)
    peer = next((entry for entry in board.entries if entry.name != ours), None)
    shown = [entry for entry in (own, peer) if entry is not None]
    task = loaded.cohort.task
    return DatasetPage(
        title=f"{result.name}: {task.name}",
        question=task.question,
        statement=f"{board.source}: {_folds(result, (board.repeats,))} {protocol_statement(board.protocol)}",
        created=created,
        command=result.command,
        cohort=cohort_table(loaded.cohort, loaded.quarantine),
        leaderboards=tuple(_leaderboard(board, ours, metric) for metric in _compared(own)),
        best_peer=peer.name if peer else "",
        calibrations=tuple((entry.name, calibrations(entry)) for entry in shown),
        tests=tuple(_tested(entry.name, test) for entry in shown for test in entry.tests),
        decisions=_decisions(shown),
        differences=tuple(
            FoldDifference(
                found.b,
                measure_name(found.metric),
                estimate_of(found.corrected.difference),
                found.corrected.p_value,
            )
            for found in board.fold_comparisons
        ),
        costs=tuple(_cost(entry, ours) for entry in board.entries),
        absent=_absent(board),
    )


def summary_page(result: BenchmarkResult, ours: str, created: str) -> SummaryPage:
    """The page over all data sets; arguments as for `dataset_page`."""
    boards = result.leaderboards
    names = list(dict.fromkeys(entry.name for board in boards for entry in board.entries))
    found = {metric: ranking for ranking in result.rankings if (metric := ranking.metric)}
    ranks = found["uno_c"].mean_ranks
    names.sort(key=lambda name: (name != ours, ranks.get(name, np.inf), name))
    folds = _folds(result, [board.repeats for board in boards])
    protocol = protocol_statement(replace(boards[0].protocol, tau_days=None))
    return SummaryPage(
        title=result.name,
        ours=ours,
        statement=f"{folds} {protocol}",
        created=created,
        command=result.command,
        tables=tuple(_table(result, metric, names) for metric in LEADING),
        ranks=tuple(_ranks(found[metric]) for metric in LEADING) if len(boards) > 1 else (),
        costs=tuple(_total(result, name, ours) for name in names),
        absent=tuple(row for board in boards for row in _absent(board)),
        versions=tuple(result.versions.items()),
    )


def _folds(result: BenchmarkResult, repeats: Sequence[int]) -> str:
    counts = " or ".join(str(count) for count in sorted(set(repeats)))
    again = f", made {counts} times with other folds" if max(repeats) > 1 else ""
    threads = f"; {result.threads} thread a method" if result.threads else ""
    return f"{result.folds}-fold cross-validation by patient{again}, seed {result.seed}{threads}."


def measure_name(metric: str) -> str:
    """A compared metric in words; every cause but the first is named."""
    base, _, cause = metric.partition(":")
    return f"{LEADING[base]}, {cause.replace('_', ' ')}" if cause else LEADING[base]


def _compared(own: Entry | None) -> tuple[str, ...]:
    """The compared metrics of every cause that ours was judged on; without ours, the first cause's."""
    return tuple(LEADING) if own is None else tuple(own.fold_values)


def _tested(name: str, test: CalibrationTest) -> Tested:
    """A test of calibration in words."""
    about = test.cause.replace("_", " ") or "any event"
    group = "everybody" if test.group == "all" else test.group
    return Tested(name, _TESTS[test.kind], about, group, test.cases, test.distance, test.p_value)


def _leaderboard(board: Results, ours: str, metric: str) -> Leaderboard:
    gains = {found.b: estimate_of(found.difference) for found in board.comparisons if found.metric == metric}
    contenders = [
        Contender(
            entry.name,
            "ours" if entry.name == ours else "baseline",
            estimate_of(entry.result.metrics[metric]),
            gains.get(entry.name),
        )
        for entry in board.entries
        if metric in entry.result.metrics
    ]
    higher = metric.partition(":")[0] not in ERRORS
    chance = 0.5 if higher else None
    return Leaderboard(
        measure_name(metric),
        chance,
        tuple(sorted(contenders, key=lambda row: row.estimate.value, reverse=higher)),
        higher_is_better=higher,
    )


def _decisions(entries: Sequence[Entry]) -> tuple[Decision, ...]:
    """The curves of every cause and horizon that all the entries have."""
    if not entries:
        return ()
    found = []
    for place, curve in enumerate(entries[0].decisions):
        alike = [entry.decisions[place] for entry in entries if place < len(entry.decisions)]
        found.append(
            Decision(
                f"{curve.cause.replace('_', ' ')} by {in_days(curve.horizon_days)}",
                np.array(curve.thresholds),
                tuple(
                    (entry.name, np.array(each.model)) for entry, each in zip(entries, alike, strict=False)
                ),
                np.array(curve.treat_all),
            )
        )
    return tuple(found)


def _cost(entry: Entry, ours: str) -> Cost:
    return Cost(entry.name, entry.name == ours, entry.fit_seconds, entry.predict_seconds, entry.peak_mib)


def _total(result: BenchmarkResult, name: str, ours: str) -> Cost:
    entries = [entry for board in result.leaderboards if (entry := board.entry(name))]
    peaks = [entry.peak_mib for entry in entries if entry.peak_mib is not None]
    return Cost(
        name,
        name == ours,
        sum(entry.fit_seconds for entry in entries),
        sum(entry.predict_seconds for entry in entries),
        max(peaks) if peaks else None,
    )


def _absent(board: Results) -> tuple[Absent, ...]:
    return tuple(Absent(board.task, name, reason) for name, reason in board.failed.items())


def _table(result: BenchmarkResult, metric: str, names: Sequence[str]) -> MetricTable:
    rows = []
    for board in result.leaderboards:
        values = {
            entry.name: entry.result.metrics[metric]
            for entry in board.entries
            if metric in entry.result.metrics
        }
        points = [interval.value for interval in values.values()]
        best = (min(points) if metric in ERRORS else max(points)) if points else None
        cells = tuple(
            Cell(estimate_of(values[name]), values[name].value == best) if name in values else None
            for name in names
        )
        rows.append(Row(board.task, board.n, next(iter(board.events.values())), cells))
    return MetricTable(LEADING[metric], metric not in ERRORS, tuple(names), tuple(rows))


def _ranks(ranking: Ranking) -> RankTable:
    ranks = sorted(ranking.mean_ranks.items(), key=lambda item: item[1])
    return RankTable(
        LEADING[ranking.metric],
        len(ranking.data_sets),
        tuple(ranks),
        _alike([name for name, _ in ranks], ranking),
        ranking.friedman_p,
        ranking.left_out,
        tuple(
            Against(test.b, test.data_sets, test.wins, test.losses, test.p_value, test.adjusted)
            for test in ranking.against_first
        ),
    )


def _alike(names: Sequence[str], ranking: Ranking) -> tuple[tuple[str, ...], ...]:
    """The longest runs of neighbours in rank of which no two differ; nothing where nothing was tested."""
    if not ranking.pairs:
        return ()
    differ = {frozenset((test.a, test.b)) for test in ranking.pairs if test.adjusted < _DIFFER}
    groups: list[tuple[str, ...]] = []
    for start in range(len(names)):
        end = start + 1
        while end < len(names) and not any(
            frozenset(pair) in differ for pair in combinations(names[start : end + 1], 2)
        ):
            end += 1
        group = tuple(names[start:end])
        if len(group) > 1 and not (groups and set(group) <= set(groups[-1])):
            groups.append(group)
    return tuple(groups)
