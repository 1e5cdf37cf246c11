"""From a kept score to a card."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from prognosis.outputs.cds_card import (
    CardArms,
    CardDriver,
    CardRisk,
    CardScore,
    arms_card,
    card_uuid,
    cds_card,
    plain_card,
)
from prognosis.outputs.estimate import Estimate
from prognosis.outputs.treatment_text import NO_ORDER
from prognosis.serve.answers import ArmsTold, Score
from prognosis.serve.cds.finding import Found
from prognosis.serve.service import Service
from prognosis.serve.told import LIMITS

DRIVERS_SHOWN = 3
ORDERS = "Draft orders were not read: this does not say what they would do."


def cards_of(
    service: Service, found: Found, service_id: str, instance: str, *, orders: bool
) -> tuple[dict[str, Any], ...]:
    """The card of a score, and one of what each arm would do where the model compares arms.

    Args:
        service: Whose.
        found: The score.
        service_id: Which CDS service was called.
        instance: The call's hookInstance.
        orders: Whether it was called about orders.
    """
    settings, score, kept = service.settings, found.kept.score, found.kept
    identity = card_uuid(service_id, instance, kept.digest)
    if found.mistaken:
        text = "No prognosis is given: the chart's birth date is not that of the record scored"
        return (plain_card(settings.name, text, f"{text}. Check which patient this is.", identity),)
    age = service.now() - kept.looked_at
    told = CardScore(
        label=settings.name,
        question=service.model.task.question,
        model_id=score.model_id,
        index_time=f"{score.index_time:%Y-%m-%d %H:%M %Z}",
        age=in_words(age),
        stale=age > timedelta(days=settings.stale_after_days),
        risks=_risks(score),
        value=_value(score),
        abstained_because=score.abstained_because,
        drivers=_drivers(score),
        missing=tuple(f"{name}, {why}" for name, why in score.modalities_missing.items()),
        cautions=score.cautions,
        limits=(*LIMITS, ORDERS) if orders else LIMITS,
        warning=_is_warning(service, score),
        smart_app=settings.smart_app or "",
        details_url=f"{settings.base_url}/metadata" if settings.base_url else "",
    )
    card = cds_card(told, identity)
    if score.treatment is None:
        return (card,)
    return card, arms_card(
        _arms(told, score.treatment), card_uuid(service_id, instance, f"{kept.digest} arms")
    )


def _arms(told: CardScore, treatment: ArmsTold) -> CardArms:
    old = "This is old. " if told.stale else ""
    notes = (*treatment.cautions, *treatment.assumptions, NO_ORDER, *LIMITS[:1])
    return CardArms(
        label=told.label,
        summary=treatment.summary,
        arms=treatment.arms,
        differences=treatment.differences,
        notes=notes,
        read=f"{old}From what was known by {told.index_time}; the record was last read {told.age} ago.",
        model_id=told.model_id,
    )


def in_words(age: timedelta) -> str:
    """An age as people say it, never younger than it is by more than it says."""
    minutes = max(0, int(age.total_seconds() // 60))
    for size, name in ((1440, "day"), (60, "hour"), (1, "minute")):
        if minutes >= size:
            count = minutes // size
            return f"{count} {name}" if count == 1 else f"{count} {name}s"
    return "less than a minute"


def _risks(score: Score) -> tuple[CardRisk, ...]:
    """The first cause at its last horizon leads; then the others in their order."""
    told = [
        CardRisk(each.cause, each.days, Estimate(each.probability, each.low, each.high, each.level))
        for each in score.risks
    ]
    if not told:
        return ()
    lead = max((each for each in told if each.cause == told[0].cause), key=lambda each: each.days)
    return (lead, *(each for each in told if each is not lead))


def _value(score: Score) -> str:
    if score.measured is None:
        return ""
    found = score.measured
    within = next(iter(found.intervals), None)
    ends = "" if within is None else f" ({within.low:.3g} to {within.high:.3g})"
    return f"{found.name} {found.value:.3g} {found.unit}{ends} by {found.days:g} days"


def _drivers(score: Score) -> tuple[CardDriver, ...]:
    if not score.why:
        return ()
    return tuple(
        CardDriver(each.name, each.detail, each.time, each.source, each.contribution)
        for each in score.why[0].drivers[:DRIVERS_SHOWN]
    )


def _is_warning(service: Service, score: Score) -> bool:
    """Whether a probability at its cause's last horizon is one that the site wants to be warned of."""
    last = max((each.days for each in score.risks), default=0.0)
    limits = service.settings.warn_above
    return any(each.days == last and each.probability >= limits.get(each.cause, 2.0) for each in score.risks)
