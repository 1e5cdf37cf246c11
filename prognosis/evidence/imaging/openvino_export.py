"""Networks exported from PyTorch to OpenVINO, for this machine's CPU."""

from __future__ import annotations

import math
import sys
import warnings
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from types import ModuleType
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import nn

Images = NDArray[np.float32]
Run = Callable[[Images], Images]

_MOST_KEPT = 2**22
"""Numbers in a batch up to which a request and its memory are kept for the next."""


@cache
def installed() -> bool:
    """Whether the optional package is there."""
    return find_spec("openvino") is not None


@cache
def computes_bfloat16() -> bool:
    """Whether OpenVINO says that this CPU computes in bfloat16 (AMX or AVX-512 BF16)."""
    return "BF16" in _openvino()[1].get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def exported(
    network: nn.Module, image: Images, *, threads: int, bfloat16: bool
) -> Callable[[tuple[int, ...]], Run]:
    """What makes, for a shape of batches (n, channels, *grid), the function that answers them.

    Args:
        network: In evaluation mode.
        image: (1, channels, *grid), on which the network is traced.
        threads: How many it may use.
        bfloat16: Compute in it, and not in single precision.

    Raises:
        RuntimeError: OpenVINO has no counterpart of one of the network's operations.
    """
    model = openvino_model(network, image)
    return lambda shape: compiled(model, shape, threads=threads, bfloat16=bfloat16)


def openvino_model(network: nn.Module, image: Images) -> Any:  # noqa: ANN401
    """The network as an OpenVINO model, traced on one image; arguments and errors as of `exported`.

    `openvino.convert_model` is not used: it reports what it converts to a server of its makers.
    """
    import torch

    _openvino()
    from openvino import frontend
    from openvino.frontend import FrontEndManager
    from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder

    with warnings.catch_warnings(), torch.no_grad(), torch.inference_mode(mode=False):
        warnings.simplefilter("ignore")  # tracing is said to be out of fashion, and shapes to be constants
        traced = torch.jit.trace(  # type: ignore[no-untyped-call]
            network, torch.from_numpy(image), check_trace=False
        )
        reader = FrontEndManager().load_by_framework("pytorch")
        decoder = TorchScriptPythonDecoder(traced)  # must outlive the conversion
        try:
            return reader.convert(reader.load(decoder))
        except (frontend.OpConversionFailure, frontend.GeneralFailure) as error:
            message = "OpenVINO has no counterpart of one of the network's operations"
            raise RuntimeError(message) from error


def compiled(
    model: Any,  # noqa: ANN401
    shape: tuple[int, ...],
    *,
    threads: int,
    bfloat16: bool,
) -> Run:
    """The function that answers batches of one shape (n, channels, *grid) by an OpenVINO model.

    A batch of fewer is filled up and the filling's answers dropped, so that an image's answer does not depend
    on how many are asked about with it.
    """
    openvino, core = _openvino()
    options = {
        "INFERENCE_NUM_THREADS": threads,
        "INFERENCE_PRECISION_HINT": openvino.Type.bf16 if bfloat16 else openvino.Type.f32,
        "PERFORMANCE_HINT": "LATENCY",
        "ENABLE_CPU_PINNING": False,  # several processes would be bound to the same core
    }

    own = model.clone()
    own.reshape(list(shape))
    machine_code = core.compile_model(own, "CPU", options)
    spare: list[Any] = []  # a request is one thread's at a time

    def run(batch: Images) -> Images:
        request = spare.pop() if spare else machine_code.create_infer_request()
        missing = shape[0] - len(batch)
        if missing:
            batch = np.concatenate([batch, np.zeros((missing, *shape[1:]), dtype=np.float32)])
        request.infer({0: batch})
        answers = np.array(request.get_output_tensor(0).data[: shape[0] - missing], dtype=np.float32)
        if math.prod(shape) <= _MOST_KEPT:
            spare.append(request)
        return answers

    return run


@cache
def _openvino() -> tuple[Any, Any]:
    """The package and its engine, imported without the part that tells its makers of every import."""
    sys.modules.setdefault("openvino_telemetry", cast("ModuleType", None))
    import openvino

    return openvino, openvino.Core()
