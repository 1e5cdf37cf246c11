"""Several findings from films: one network, whose loss leaves out what is not known of a film."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from prognosis.cohort.target import ABSENT, ONE_BIN, PRESENT, UNKNOWN, Target
from prognosis.evidence.imaging import fit_imaging
from prognosis.evidence.imaging.config import ImagingConfig
from prognosis.evidence.imaging.loss import class_loss
from tests.evidence.imaging.chests import MemoryStore, case, study

CONFIG = ImagingConfig(size=32, contrast_scales=(1.0, 2.0), channels=(4, 4), strides=(2, 2), epochs=1)
LOG_ODDS = torch.randn(40, 3, generator=torch.Generator().manual_seed(0))
INTERCEPT = torch.tensor([0.3, -0.2, 0.1])


def test_the_loss_of_findings_is_binary_cross_entropy_where_they_are_known() -> None:
    event = (torch.arange(120).reshape(40, 3) % 3 == 0).float()
    known = (torch.arange(120).reshape(40, 3) % 4 != 0).float()
    log_odds = LOG_ODDS.clone().requires_grad_()
    loss = class_loss(log_odds, INTERCEPT, event * known, known)
    each = binary_cross_entropy_with_logits(LOG_ODDS + INTERCEPT, event, reduction="none")
    assert loss.item() == pytest.approx(((each * known).sum() / 40).item(), rel=1e-5)
    (gradient,) = torch.autograd.grad(loss, log_odds)
    assert bool((gradient[known == 0] == 0).all())
    assert bool((gradient[known == 1] != 0).all())


def test_the_loss_of_classes_is_cross_entropy_with_the_reference_at_zero() -> None:
    label = torch.arange(40) % 4
    event = torch.nn.functional.one_hot(label, 4)[:, 1:].float()
    loss = class_loss(LOG_ODDS, INTERCEPT, event, torch.ones(40, 1))
    whole = torch.cat([torch.zeros(40, 1), LOG_ODDS + INTERCEPT], dim=1)
    assert loss.item() == pytest.approx(cross_entropy(whole, label).item(), rel=1e-5)


def films(patients: int) -> tuple[list, np.ndarray]:
    """Cases of one film each, and (n, 2) whether it has a bright spot low left, and one high right."""
    random = np.random.default_rng(0)
    store, cases = MemoryStore(), []
    present = random.random((patients, 2)) < 0.5
    y, x = np.mgrid[:32, :32]
    for row in range(patients):
        pixels = 100.0 + 10.0 * random.standard_normal((32, 32))
        for place, (at_y, at_x) in enumerate(((26, 7), (6, 24))):
            pixels += 120.0 * present[row, place] * (np.hypot(y - at_y, x - at_x) < 4.0)
        cases.append(case(f"p{row}", study(store, f"s{row}", pixels.astype(np.float32)[None], 1.0)))
    return cases, present


def target_of(marks: np.ndarray) -> Target:
    present = marks == PRESENT
    cause = np.where(present.any(axis=1), present.argmax(axis=1) + 1, 0)
    names = ("low", "high")[: marks.shape[1]]
    return Target(names, cause, np.full(len(marks), 0.5), ONE_BIN, survival=False, marks=marks)


def test_each_finding_is_learnt_where_it_lies_although_half_the_films_do_not_state_it() -> None:
    cases, present = films(80)
    marks = np.where(present, PRESENT, ABSENT).astype(np.int8)
    marks[np.arange(80) // 2 % 2 == 0, 1] = UNKNOWN
    fit = fit_imaging(cases, target_of(marks), np.arange(80) % 2, CONFIG, seed=1)
    evidence = fit.out_of_fold.evidence[:, :, 0]
    for place in range(2):
        assert roc_auc_score(present[:, place], evidence[:, place]) > 0.75
    tokens = [fit.model.tokens(each) for each in cases[:30]]
    zones = np.array([[token.evidence[:, 0] for token in own] for own in tokens])
    for place, zone in enumerate(("right lower zone", "left upper zone")):
        has = present[:30, place]
        gained = zones[has, :, place].mean(axis=0) - zones[~has, :, place].mean(axis=0)
        assert tokens[0][int(gained.argmax())].name == zone


def test_one_finding_trains_the_network_of_a_class_with_two_values() -> None:
    cases, present = films(24)
    marks = np.where(present[:, :1], PRESENT, ABSENT).astype(np.int8)
    findings = target_of(marks)
    classes = Target(("low",), findings.cause, findings.days, ONE_BIN, survival=False)
    one, other = (
        fit_imaging(cases, asked, np.arange(24) % 2, CONFIG, seed=1) for asked in (findings, classes)
    )
    np.testing.assert_allclose(one.out_of_fold.evidence, other.out_of_fold.evidence, rtol=0, atol=1e-12)
