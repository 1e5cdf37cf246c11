"""Names that tell of the outcome, of another model's opinion, or of the rest of the stay."""

from __future__ import annotations

import re
from collections.abc import Iterator

from prognosis.cohort.lint.columns import Column
from prognosis.cohort.lint.finding import Finding, Thresholds

# The answer itself. "status" and "follow-up" stand in many harmless names ("smoking status", "follow-up
# visit"), so they count only alone or beside a word that gives them away.
OUTCOME = re.compile(
    r"\b(deaths?|died|dead(?! space)|deceased|mortal\w*|fatal\w*|surviv\w*|outcomes?|autopsy|cause of death"
    r"|(vital|survival|death|event|censor\w*|patient|final|discharge) (status|state|indicator)"
    r"|(last )?(follow ?up|fu|contact) (time|days|months|years|date|status|state|duration|complete)"
    r"|date of (last contact|last follow ?up)|(time|days) to (event|death|relapse|progression)|futime|fustat"
    r"|discharge (disposition|location|destination|diagnos\w*)|discharged? to|censor\w*)\b"
    r"|^(?:(?:num|fac|is|has) )?(?:status|event|expired|follow ?up|label|target)$"
)
# Somebody else's forecast: a good predictor, but then the question is what their model knew and when.
FORECAST = re.compile(
    r"\b(apache\w*|q?sofa|saps\w*|euroscore\w*|risk ?scores?|risk of|predict(?!or)\w*|forecast\w*|prognos\w*"
    r"|probability of|surv ?\d+ ?(m|mo|y|yr|d)\w*|(life|survival) expectancy)\b"
)
# Counted or decided over the stay that follows the index, or because the patient was expected to die.
COURSE = re.compile(
    r"\b(length of stay|los|hdays?|(hospital|icu|ventilator|intubat\w*) (days?|duration|hours)|dnr|dnar"
    r"|(do )?not (attempt )?resuscitat\w*|palliati\w*|hospice|comfort (care|measures)|end of life"
    r"|terminal care|total (costs?|charges)|organ donor|post ?mortem)\b"
)
LEVEL = re.compile(
    r"\b(died|dead(?! space)|deceased|death|fatal|surviv\w*|alive|follow ?up|autopsy|hospice)\b|^expired$"
)
NOT_THE_PATIENT = re.compile(r"\b(family|father|mother|parents?|siblings?|brother|sister|fetal|foetal)\b")

RULES = (
    ("outcome-like name", OUTCOME, "its name tells of the outcome"),
    ("another model's score", FORECAST, "its name is that of a forecast made elsewhere"),
    ("name tells the course", COURSE, "its name tells of care after the index or of giving up care"),
)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z][a-z])")
_BETWEEN_WORDS = re.compile(r"[\s_\-./:,;|()\[\]]+")


def plain_name(text: str) -> str:
    """A name as lower-case words with single spaces: "dischargeStatus", "DISCHARGE_STATUS" are the same."""
    return _BETWEEN_WORDS.sub(" ", _CAMEL.sub(" ", text)).strip().lower()


def told_by_names(columns: tuple[Column, ...], limits: Thresholds) -> Iterator[Finding]:
    """Findings about the names of codes, and about the values of columns that take few of them."""
    for column in columns:
        value = column.name.rpartition("|")[2]
        for kind, pattern, problem in RULES:
            if any(_matches(pattern, name) for name in (value, column.display)):
                yield Finding(kind, column.name, problem, len(column.rows), len(column.rows))
                break
        texts = [text for text in column.texts if text is not None]
        levels = sorted(set(texts))
        if len(levels) > limits.many_levels:
            continue
        for level in levels:
            if _matches(LEVEL, level):
                subject, problem = f"{column.name} = {level}", "the value tells of the outcome"
                yield Finding("outcome-like value", subject, problem, texts.count(level), len(texts))


def _matches(pattern: re.Pattern[str], name: str) -> bool:
    plain = plain_name(name)
    return pattern.search(plain) is not None and NOT_THE_PATIENT.search(plain) is None
