"""How far a step goes: AdamW's groups of weights and the rate over the course of training."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import nn

from prognosis.fusion.config import TrainingConfig
from prognosis.fusion.end_to_end.imaging import ImagingReader
from prognosis.fusion.end_to_end.network import Networks

_RISING = 0.1


def optimiser_of(networks: Networks, config: TrainingConfig) -> torch.optim.AdamW:
    """AdamW over all weights.

    Weights of read-outs are kept as what training adds to where they started, so decay draws them back
    there (as L2-SP does, Li et al., ICML 2018). Vectors and the head's own weights have a penalty or none.
    """
    trunks = {id(value): share for value, share in _encoder_shares(networks, config)}
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, value in networks.named_parameters():
        decays = value.ndim > 1 and name.rpartition(".")[2] not in {"alpha", "first", "last"}
        kind = (trunks.get(id(value), 1.0), config.weight_decay if decays else 0.0)
        groups.setdefault(kind, []).append(value)
    stated: list[dict[str, Any]] = [
        {"params": values, "share": share, "weight_decay": decay} for (share, decay), values in groups.items()
    ]
    return torch.optim.AdamW(stated, lr=config.learning_rate)


def rate_at(step: int, config: TrainingConfig, steps_an_epoch: int) -> float:
    """The learning rate of a step: up in a line over a tenth of all epochs, then down half a cosine."""
    done = (step + 0.5) / (config.epochs * steps_an_epoch)
    if done < _RISING:
        return config.learning_rate * done / _RISING
    return config.learning_rate * 0.5 * (1.0 + math.cos(math.pi * (done - _RISING) / (1.0 - _RISING)))


def _encoder_shares(networks: Networks, config: TrainingConfig) -> list[tuple[nn.Parameter, float]]:
    """Each weight of an encoder with its share of the rate; a pretrained trunk's is smaller still."""
    found: list[tuple[nn.Parameter, float]] = []
    for reader in (reader for network in networks for reader in network.readers.values()):
        if isinstance(reader, ImagingReader) and reader.network is not None:
            trunk, *rest = reader.network.children()
            own = config.encoder_rate
            slow = own * reader.config.trunk_rate if reader.config.trunk == "encoder" else own
            found += [(value, slow) for value in trunk.parameters()]
            found += [(value, own) for layer in rest for value in layer.parameters()]
    return found
