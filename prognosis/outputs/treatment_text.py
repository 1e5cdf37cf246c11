"""What each arm would do for one patient, on a terminal: numbers, then reasons, then what was assumed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prognosis.comparison.answer import Basis, Contrast, TreatmentAnswer
from prognosis.explanation import Driver
from prognosis.outputs.estimate import in_days
from prognosis.outputs.treatment_words import amount, gain, policy_in_words, share_of_gain

if TYPE_CHECKING:
    from rich.console import Group, RenderableType
    from rich.table import Table
    from rich.text import Text

NO_ORDER = "Research software. This orders nothing: it says what a cohort supports, and what it does not."


def treatment_text(answer: TreatmentAnswer, top: int = 3) -> Group:
    """What `rich` prints.

    Nothing that came from a record is read as markup: a note may contain square brackets.

    Args:
        answer: Of one patient; one that is refused shows its reason and how many cases there are of each arm,
            and nothing that would be read as an effect.
        top: How many drivers to show for and against each arm.
    """
    from rich.console import Group
    from rich.text import Text

    site = f" of {answer.site}" if answer.site else ""
    asked = f"patient {answer.patient_id}{site} at {answer.index_time:%Y-%m-%d %H:%M %Z} ({answer.model_id})"
    parts: list[RenderableType] = [Text(answer.question, style="bold"), Text(asked), Text(NO_ORDER), Text()]
    if answer.refused is not None:
        parts.append(
            Text.assemble(
                ("The arms are not compared for this patient. ", "bold red"),
                f"{answer.refused.reason}: {answer.refused.detail}\n",
            )
        )
        if answer.basis is not None:
            parts.append(Text(_counts(answer.basis)))
        return Group(*parts)
    parts += [_verdict(answer), _arms(answer), Text(), _differences(answer), Text()]
    for contrast in answer.contrasts:
        if contrast.explanation is not None and contrast.explanation.drivers:
            parts.append(_drivers(contrast, top))
    if answer.basis is not None:
        parts.append(Text(_cohort(answer, answer.basis)))
    parts += _sentences("Take care:", answer.cautions)
    unanswered = [f"by {in_days(days)}: {why}" for days, why in sorted(answer.unanswered.items())]
    parts += _sentences("Nothing is said:", unanswered)
    parts += _sentences("Assumed:", answer.assumptions)
    return Group(*parts)


def verdict(answer: TreatmentAnswer) -> str:
    """The answer in a sentence: which arm is better supported than every other, or that none is, and why."""
    if answer.refused is not None:
        return f"The arms are not compared for this patient: {answer.refused.detail}."
    if answer.better:
        return (
            f"{answer.better} is better supported than every other arm, for patients like this one, by "
            f"{answer.worth_is}."
        )
    why = "" if answer.undecided is None else f": {answer.undecided.detail}"
    return f"No arm is better supported than every other{why}."


def contrast_lines(answer: TreatmentAnswer, arm: str = "") -> tuple[str, ...]:
    """A line for each difference between arms, with what is better supported or why neither is.

    Args:
        answer: Of one patient.
        arm: One arm, to have only those lines that it is in.
    """
    lines = []
    for each in answer.contrasts:
        if arm and arm not in (each.arm, each.reference):
            continue
        own = "not said" if each.difference is None else gain(each.difference)
        why = "" if each.undecided is None else f": {each.undecided.detail}"
        better = f"{each.better} is better supported" if each.better else f"neither is better supported{why}"
        lines.append(
            f"{each.arm} less {each.reference}, {answer.worth_is}: {own}, over the cohort "
            f"{gain(each.average)}; {better}"
        )
    return tuple(lines)


def arm_lines(answer: TreatmentAnswer) -> tuple[str, ...]:
    """A line for each arm: what is expected under it, or why nothing is said."""
    lines = []
    for arm in answer.arms:
        if arm.worth is None:
            lines.append(
                f"{arm.name}: nothing is said{'' if arm.withheld is None else f': {arm.withheld.detail}'}"
            )
            continue
        risks = "".join(
            f"; {answer.outcome} by {in_days(each.days)} {amount(each.risk)}" for each in arm.risks
        )
        lines.append(f"{arm.name}: {answer.worth_is} {amount(arm.worth)}{risks}")
    return tuple(lines)


def events_of(answer: TreatmentAnswer) -> str:
    """What `events` count: "with death", "with improved or without it, whichever are fewer"."""
    if answer.horizon_days is None:
        return f"with {answer.outcome} or without it, whichever are fewer"
    return f"with {answer.outcome}"


def _verdict(answer: TreatmentAnswer) -> Text:
    from rich.text import Text

    return Text(f"{verdict(answer)}\n", style="bold")


def _arms(answer: TreatmentAnswer) -> Table:
    from rich.table import Table
    from rich.text import Text

    level = next((arm.worth.level for arm in answer.arms if arm.worth is not None), 0.95)
    table = Table(
        box=None, header_style="bold", caption=f"in brackets: {level:.0%} intervals", caption_justify="left"
    )
    table.add_column("arm")
    table.add_column("like patients given it", justify="right")
    table.add_column(answer.worth_is, justify="right", overflow="fold")
    horizons = next((arm.risks for arm in answer.arms if arm.risks), ())
    for risk in horizons:
        table.add_column(f"{answer.outcome} by {in_days(risk.days)}", justify="right")
    for arm in answer.arms:
        if arm.worth is None:
            why = "" if arm.withheld is None else f"not said: {arm.withheld.detail}"
            table.add_row(Text(arm.name), f"{arm.chance:.0%}", Text(why, style="red"))
            continue
        risks = [amount(each.risk) for each in arm.risks]
        table.add_row(Text(arm.name), f"{arm.chance:.0%}", amount(arm.worth), *risks)
    return table


def _differences(answer: TreatmentAnswer) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, header_style="bold")
    for heading in ("beside one another", "for this patient", "over the cohort", "better supported"):
        table.add_column(heading, overflow="fold")
    for each in answer.contrasts:
        own = "not said" if each.difference is None else gain(each.difference)
        better = each.better or "neither"
        table.add_row(Text(f"{each.arm} less {each.reference}"), own, gain(each.average), Text(better))
    return table


def _drivers(contrast: Contrast, top: int) -> Table:
    from rich.table import Table
    from rich.text import Text

    told = contrast.explanation
    assert told is not None  # noqa: S101 - the caller has looked
    base, total = (share_of_gain(told, each) for each in (told.base, told.total))
    table = Table(
        box=None,
        header_style="bold",
        title=Text(f"Why {contrast.arm} differs from {contrast.reference}"),
        title_justify="left",
        caption=Text(
            f"the average patient with these modalities {base}, this patient {total}; "
            f"largest additivity error {told.max_additivity_error:.1e}\n"
        ),
        caption_justify="left",
    )
    table.add_column("adds", justify="right")
    for heading in ("speaks for", "what", "value", "known", "source"):
        table.add_column(heading, overflow="fold")
    shown: list[Driver] = [*told.speaking_for()[:top], *told.speaking_against()[:top]]
    for driver in shown:
        arm = contrast.arm if driver.contribution > 0.0 else contrast.reference
        known = driver.leading.time[:10] or "no date"
        adds = share_of_gain(told, driver.contribution)
        named = (arm, driver.leading.name, driver.leading.detail, known, driver.leading.source)
        table.add_row(adds, *(Text(each) for each in named))
    others = len(told.drivers) - len(shown)
    if others:
        rest = sum(driver.contribution for driver in told.drivers if driver not in shown)
        table.add_row(share_of_gain(told, rest), "", f"{others} smaller drivers")
    return table


def _counts(basis: Basis) -> str:
    arms = "; ".join(f"{arm.name}, {arm.cases} cases" for arm in basis.arms)
    return f"The cohort, {basis.assignment}: {arms}."


def _cohort(answer: TreatmentAnswer, basis: Basis) -> str:
    arms = "; ".join(
        f"{arm.name}, {arm.cases} cases ({arm.effective:.0f} after weighting), {arm.events} "
        f"{events_of(answer)}, {amount(arm.average)} if all were given it"
        for arm in basis.arms
    )
    rests_on = f"Rests on {basis.patients} patients, {basis.assignment}: {arms}."
    return "\n".join([rests_on, *grounds_in_words(answer, basis)]) + "\n"


def grounds_in_words(answer: TreatmentAnswer, basis: Basis) -> tuple[str, ...]:
    """What the cohort says of overlap, balance and unseen causes, and of choosing by the model, in sentences.

    Args:
        answer: Of one patient.
        basis: Its cohort.
    """
    lines = [
        f"Outside the overlap {basis.outside_overlap:.0%}; largest difference of a covariate between arms "
        f"{basis.imbalance_before:.2f} standard deviations, {basis.imbalance_after:.2f} after weighting.",
        policy_in_words(basis.policy_gain, basis.best_constant),
    ]
    shares = "risks" if answer.horizon_days is not None else "probabilities"
    lines += [
        f"{each.arm} against {each.reference}: ratio of {shares} {amount(each.average_ratio)}; E-value "
        f"{each.e_value[0]:.2f}, of the interval's nearer end {each.e_value[1]:.2f}."
        for each in answer.contrasts
        if each.e_value is not None and each.average_ratio is not None
    ]
    if basis.left_out:
        left = "; ".join(f"{why}: {count}" for why, count in basis.left_out.items())
        lines.append(f"Not compared: {left}.")
    return tuple(lines)


def _sentences(heading: str, stated: tuple[str, ...] | list[str]) -> list[RenderableType]:
    from rich.text import Text

    return [Text(heading, style="bold"), *(Text(f"  {each}") for each in stated)] if stated else []
