"""`SurvivalStack`: the model of records alone, with the methods that users of scikit-learn expect."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from prognosis.cohort import Case, Cohort, SurvivalLabel, Task
from prognosis.errors import InputError
from prognosis.estimator.configuration import is_number, stated_config
from prognosis.estimator.curve import SurvivalCurve, as_times
from prognosis.estimator.outcome import Outcome, read_outcome
from prognosis.estimator.table import TableLayout, as_frame, learn_layout, table_cases
from prognosis.fusion import FusionModel, ModelConfig, train_model
from prognosis.fusion.bounds import ANY_EVENT
from prognosis.survival.censoring import Censoring, estimate_censoring
from prognosis.survival.concordance import harrell_c, uno_c

if TYPE_CHECKING:
    import shap

Floats = NDArray[np.float64]


class SurvivalStack(BaseEstimator):  # type: ignore[misc]
    """Time to an event, or to the first of several causes, from the columns of a table.

    The model is that of `prognosis.train` with the records as its only modality: the cells of a row are facts
    known at the index. Missing cells are information, not imputed; texts and categories never seen in the
    fit count as not measured.

    Args:
        config: A `ModelConfig`, or the path of one; the defaults when None. Its modalities are not read.
        folds: Cross-fitting folds; the configuration's when None.
        bins: Time bins of the hazard; the configuration's when None.
        replicates: Bootstrap refits of the head, for the intervals that `prognosis.predict` gives with
            `model_`: set 100 or more for those. No method here reads them, so the fewest are made; the
            configuration's when None.
        days_per_unit: Days in one unit of the times given and returned (365.25 for years).
        concordance: What `score` returns: "harrell" or "uno".
        random_state: Of every random choice; the configuration's seed when None.

    Attributes:
        model_: The trained `FusionModel`.
        causes_: Names of the causes: "event", or "cause_1" to "cause_K".
        unique_times_: (T,) distinct times of events in the fit, in the unit given.
        n_features_in_: Number of columns.
        feature_names_in_: (p,) their names, where X was a DataFrame.
    """

    def __init__(
        self,
        config: ModelConfig | str | Path | None = None,
        *,
        folds: int | None = None,
        bins: int | None = None,
        replicates: int | None = 2,
        days_per_unit: float = 1.0,
        concordance: Literal["harrell", "uno"] = "harrell",
        random_state: int | None = None,
    ) -> None:
        self.config = config
        self.folds = folds
        self.bins = bins
        self.replicates = replicates
        self.days_per_unit = days_per_unit
        self.concordance = concordance
        self.random_state = random_state

    def fit(self, X: Any, y: Any) -> SurvivalStack:  # noqa: ANN401, N803 - scikit-learn's name
        """Train on a table.

        Args:
            X: (n, p) DataFrame of numbers, truth values, texts and categories, or an array; cells may be
                missing.
            y: A structured array whose first field is the event (True, or 1 to K for competing causes) and
                whose second is the time, as scikit-survival has it; or a DataFrame or tuple of the two.

        Returns:
            The estimator itself.

        Raises:
            InputError: A column or the outcome cannot be used; it is named.
            CohortError: There are too few rows or events.
            ConfigError: A parameter is out of range.
        """
        config = self._config()
        layout = learn_layout(X)
        cases = table_cases(X, layout)
        outcome = read_outcome(y, len(cases))
        causes = outcome.causes()
        days = outcome.time * self.days_per_unit
        names = (None, *causes)
        labelled = tuple(
            replace(case, label=SurvivalLabel(names[cause], float(day)))
            for case, cause, day in zip(cases, outcome.cause, days, strict=True)
        )
        happened = outcome.cause > 0
        self.model_: FusionModel = train_model(Cohort(_task(causes, days[happened]), labelled), config)
        self.causes_ = causes
        self.layout_: TableLayout = layout
        self.unique_times_ = np.unique(outcome.time[happened])
        self.censoring_: Censoring = estimate_censoring(days, happened)
        self.n_features_in_ = len(layout.names)
        if layout.named:
            self.feature_names_in_ = np.array(layout.names, dtype=object)
        return self

    def predict(self, X: Any, cause: int = 1) -> Floats:  # noqa: ANN401, N803
        """(n,) log-hazard of a cause, averaged over time: higher is worse. It is what `explain` explains.

        Raises:
            InputError: A column or the cause cannot be used.
        """
        which = self._cause(cause)
        inputs = self.model_.inputs(self._cases(X))
        return np.asarray(self.model_.head.log_hazard(inputs)[:, which].mean(axis=1))

    def predict_cumulative_incidence(self, X: Any, times: ArrayLike | None = None) -> Floats:  # noqa: ANN401, N803
        """(n, K, T) probability that each cause has happened first by each time.

        Args:
            X: As in `fit`.
            times: (T,) in the unit of the fit; `unique_times_` when None.

        Raises:
            InputError: A column or a time cannot be used.
        """
        cases = self._cases(X)
        asked = self._times(times)
        last = float(self.model_.edges[-1]) / self.days_per_unit
        if asked.size and not (asked.min() >= 0.0 and asked.max() <= last * (1.0 + 1e-12)):
            raise InputError("times", "lie beyond the follow-up of the fit", f"ask for 0 to {last:g}")
        return self.model_.cumulative_incidence(cases, asked * self.days_per_unit)

    def predict_survival_function(
        self,
        X: Any,  # noqa: ANN401, N803
        return_array: bool = False,
        times: ArrayLike | None = None,
    ) -> NDArray[Any]:
        """The probability of no event of any cause over time.

        Args:
            X: As in `fit`.
            return_array: (n, T) probabilities when True, else (n,) functions of time (`SurvivalCurve`).
            times: (T,) in the unit of the fit, increasing; `unique_times_` when None.

        Raises:
            InputError: A column or a time cannot be used.
        """
        free = 1.0 - self.predict_cumulative_incidence(X, times).sum(axis=1)
        if return_array:
            return np.asarray(free)
        asked = self._times(times)
        if not asked.size or (np.diff(asked) < 0.0).any():
            raise InputError("times", "are none, or fall", "give increasing times, or ask for an array")
        curves = np.empty(len(free), dtype=object)
        curves[:] = [SurvivalCurve(asked, row) for row in free]
        return curves

    def predict_lower_bound(self, X: Any, level: float = 0.9, cause: int | None = None) -> Floats:  # noqa: ANN401, N803
        """(n,) time for which a row stays free of events with confidence `level`; 0 where none is supported.

        No bound lies beyond the time to which enough rows of the fit were followed.

        Args:
            X: As in `fit`.
            level: Confidence, 0.5 to 0.995.
            cause: Free of which cause; of any when None.

        Raises:
            InputError: A column, the level or the cause cannot be used.
        """
        cases = self._cases(X)
        which = None if cause is None else self._cause(cause)
        if not is_number(level):
            raise InputError("level", "is no number", "give a confidence such as 0.9")
        event = ANY_EVENT if which is None or len(self.causes_) == 1 else self.causes_[which]
        bounds = self.model_.lower_bounds(self.model_.inputs(cases), level)
        return np.asarray(bounds[event] / self.days_per_unit)

    def explain(self, X: Any, cause: int = 1) -> shap.Explanation:  # noqa: ANN401, N803
        """Exact Shapley values as `shap` holds them: base value + the sum over columns = `predict`.

        Raises:
            InputError: A column or the cause cannot be used.
        """
        import shap

        from prognosis.estimator.attributions import attribute_columns
        from prognosis.evidence.clinical.model import ClinicalEvidence

        which, cases = self._cause(cause), self._cases(X)
        evidence = self.model_.evidence["clinical"]
        assert isinstance(evidence, ClinicalEvidence)  # noqa: S101 - what fit trains
        found = attribute_columns(self.model_, evidence, cases, self.layout_.names, which)
        data = as_frame(X)[list(self.layout_.names)].to_numpy()
        return shap.Explanation(found.values, found.base, data, feature_names=list(self.layout_.names))

    def score(self, X: Any, y: Any) -> float:  # noqa: ANN401, N803
        """The concordance of `predict` with the first cause: Harrell's C, or Uno's with `concordance`.

        A competing event leaves its row in the risk sets as free of the first cause. Uno's weights come from
        the fit's censoring; it is cut off at the last day on which 5% would be uncensored.

        Raises:
            InputError: A column, the outcome or `concordance` cannot be used.
            CohortError: No two rows can be compared.
        """
        risk = self.predict(X)
        outcome: Outcome = read_outcome(y, len(risk))
        days = outcome.time * self.days_per_unit
        if self.concordance == "uno":
            tau = self.censoring_.last_day()
            return uno_c(days, outcome.cause, risk, self.censoring_, tau).value
        if self.concordance == "harrell":
            return harrell_c(days, outcome.cause, risk).value
        raise InputError(f"concordance {self.concordance!r}", "is unknown", "ask for harrell or uno")

    def __sklearn_tags__(self) -> Any:  # noqa: ANN401 - scikit-learn's own type
        """What scikit-learn asks of an estimator's input."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.string = True
        tags.input_tags.categorical = True
        tags.target_tags.required = True
        return tags

    def _cases(self, table: Any) -> tuple[Case, ...]:  # noqa: ANN401
        check_is_fitted(self)
        return table_cases(table, self.layout_)

    def _cause(self, cause: int) -> int:
        check_is_fitted(self)
        if cause not in range(1, len(self.causes_) + 1):
            raise InputError(f"cause {cause}", "was not in the fit", f"ask for 1 to {len(self.causes_)}")
        return int(cause) - 1

    def _times(self, times: ArrayLike | None) -> Floats:
        asked = self.unique_times_ if times is None else np.atleast_1d(as_times(times))
        if asked.ndim != 1:
            raise InputError("times", f"have {asked.ndim} dimensions", "give a list of times")
        return asked

    def _config(self) -> ModelConfig:
        days = self.days_per_unit
        if not (is_number(days) and 0.0 < days < np.inf):
            raise InputError("days_per_unit", "is not a positive number", "give the days in one unit of time")
        return stated_config(self.config, self.folds, self.bins, self.replicates, self.random_state)


def _task(causes: tuple[str, ...], event_days: Floats) -> Task:
    """The question that a table asks; its horizons are quartiles of the event times."""
    quartiles: list[float] = np.unique(np.quantile(event_days, [0.25, 0.5, 0.75])).tolist()
    return Task.from_statement(
        {
            "name": "survival_stack",
            "question": "How soon does the event come?",
            "index": {"at": "event", "codes": ["prognosis|index"]},
            "outcome": {
                "kind": "time_to_event",
                "causes": {cause: [f"outcome|{cause}"] for cause in causes},
                "horizons_days": [day for day in quartiles if day > 0] or [1.0],
            },
        },
        "SurvivalStack",
    )
