"""One patient's risk on a terminal: the same facts as the page, in the order in which they are needed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prognosis.outputs.estimate import as_percent, decimal, in_days, signed
from prognosis.outputs.patient_explanation import PatientChange, PatientExplanation, parts_not_told
from prognosis.outputs.patient_figures import strongest
from prognosis.outputs.patient_page import PatientPage
from prognosis.outputs.treatment_text import verdict

if TYPE_CHECKING:
    from rich.console import Group, RenderableType
    from rich.table import Table


def risk_text(page: PatientPage, top: int = 5) -> Group:
    """What `rich` prints for a patient.

    Nothing that came from a record is read as markup: a note may contain square brackets.

    Args:
        page: What is known; one that abstains shows its reason and no risk.
        top: How many drivers to show for each cause.
    """
    from rich.console import Group
    from rich.text import Text

    parts: list[RenderableType] = [
        Text(page.question, style="bold"),
        Text(f"patient {page.patient} at {page.index_time} ({page.model_id})"),
        Text(page.summary, style="dim"),
        Text(),
    ]
    if page.abstained_because:
        parts.append(Text.assemble((f"No {page.answer} is given. ", "bold red"), page.abstained_because))
    else:
        if page.risks:
            parts.append(_risks(page))
            parts.append(Text(f"in brackets: {page.interval_meaning}\n" if page.interval_meaning else ""))
        parts += [Text(f"{statement}\n") for statement in page.free_for]
        parts += [*(_drivers(explanation, top) for explanation in page.explanations)]
        parts += [*(_changes(change, top) for change in page.changes)]
    parts.append(Text(f"rests on: {', '.join(page.modalities_used) or 'nothing'}"))
    for item in page.missing:
        effect = f" ({item.effect})" if item.effect else ""
        parts.append(Text.assemble(("missing: ", "yellow"), f"{item.what}, {item.why}{effect}"))
    parts += [Text.assemble(("caution: ", "yellow"), caution) for caution in page.cautions]
    if page.treatment is not None:
        parts.append(Text(f"\n{verdict(page.treatment)} `prognosis treat` tells more."))
    return Group(*parts)


def _risks(page: PatientPage) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, header_style="bold")
    for heading, justify in (("what", "left"), ("by", "left"), ("risk (interval)", "right")):
        table.add_column(heading, justify="right" if justify == "right" else "left")
    for risk in page.risks:
        table.add_row(Text(risk.cause), in_days(risk.days), as_percent(risk.risk))
    return table


def _drivers(explanation: PatientExplanation, top: int) -> Table:
    from rich.table import Table
    from rich.text import Text

    shown, others = strongest(explanation.drivers, top)
    receipt = explanation.receipt
    receipt_line = (
        f"the average patient with these modalities {decimal(explanation.base)}, "
        f"this patient {decimal(explanation.total)}; {receipt.method}; "
        f"largest additivity error {receipt.max_additivity_error:.1e}, "
        f"standard error {receipt.standard_error:.1e}"
    )
    if receipt.evaluated:
        receipt_line += f"; {receipt.evaluated}"
    if not_told := parts_not_told(shown):
        receipt_line += f"; {not_told}"
    table = Table(
        box=None,
        header_style="bold",
        title=Text(f"What drives {explanation.cause} ({receipt.scale})"),
        title_justify="left",
        caption=Text(f"{receipt_line}\n"),
        caption_justify="left",
    )
    table.add_column("adds", justify="right")
    for heading in ("what", "value", "known", "source"):
        table.add_column(heading, overflow="fold")
    for driver in shown:
        style = "dark_orange" if driver.contribution > 0 else "deep_sky_blue1"
        table.add_row(
            Text(signed(driver.contribution), style=style),
            Text(driver.name),
            Text(driver.detail),
            driver.time[:10] or "no date",
            Text(driver.source),
        )
        for part in driver.told_parts():
            told = (f"  {part.name}", part.detail, part.time[:10] or "no date", part.source)
            table.add_row(*(Text(each, style="dim") for each in (signed(part.contribution), *told)))
    if others:
        rest = sum(driver.contribution for driver in others)
        moved = "smaller drivers" if shown else "drivers, none of which moves it" if top else "drivers"
        table.add_row(signed(rest), f"{len(others)} {moved}", "", "", "")
    return table


def _changes(change: PatientChange, top: int) -> Table:
    from rich.table import Table
    from rich.text import Text

    shown, others = change.drivers[:top], change.drivers[top:]
    table = Table(
        box=None,
        header_style="bold",
        title=Text(f"What changed for {change.cause} since {change.since[:10]} ({change.scale})"),
        title_justify="left",
        caption=Text(
            f"then {decimal(change.before)}, now {decimal(change.after)}; {change.unmoved} moved "
            f"nothing; largest additivity error {change.max_additivity_error:.1e}\n"
        ),
        caption_justify="left",
    )
    table.add_column("moves it by", justify="right")
    for heading in ("it is", "what", "then", "now", "source"):
        table.add_column(heading, overflow="fold")
    for driver in shown:
        told = (driver.kind, driver.name, driver.before, driver.after, driver.source)
        table.add_row(signed(driver.contribution), *(Text(each) for each in told))
    if others:
        rest = sum(driver.contribution for driver in others)
        table.add_row(signed(rest), "", f"{len(others)} smaller changes")
    table.add_row(signed(change.recalibration), "", "which modalities there were to be read")
    return table
