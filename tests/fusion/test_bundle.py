"""A model on disk is the model that was saved."""

import json

from prognosis.cohort import Task
from prognosis.fusion import save_model
from tests.fakes.additive_evidence import written_model


def test_causes_keep_their_order_on_disk(tmp_path):
    model = written_model()
    assert model.task.causes == ("progression", "death")  # not that of the alphabet
    save_model(model, tmp_path / "model", "card", {})
    stated = json.loads((tmp_path / "model" / "config.json").read_text(encoding="utf-8"))
    assert Task.from_statement(stated["task"], "config.json").causes == model.task.causes
