"""How many volumes a second the 3D encoder reads on a GPU, and what share of the GPU's bf16 peak that is.

`python -m benchmarks.gpu_encoding [--trunk resnet18] [--block 64 128 128] [--batches 8 32] [--json]`

Each way of running it (single precision, TF32, bfloat16, half precision; channels last; compiled) is timed on
volumes that lie on the GPU, and the fastest is named: a way is used where it was measured to help. The peak
is that of a square bfloat16 matrix product in the same run. Where there is no CUDA it says so and stops.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from prognosis.evidence.imaging.resnet import ResNetShape, build_resnet

if TYPE_CHECKING:
    from torch import Tensor, nn

WINDOWS = 2
PEAK_SIDE = 8192
REPEATS = 20


@dataclass(frozen=True, slots=True)
class Way:
    """One way of running a network.

    Attributes:
        numbers: "float32", "tf32", "bfloat16" or "float16".
        channels_last: The channels of a voxel lie beside each other in memory.
        compiled: By torch.compile.
    """

    numbers: str
    channels_last: bool = False
    compiled: bool = False

    @property
    def name(self) -> str:
        """For people."""
        return ", ".join(
            [self.numbers, *["channels last"] * self.channels_last, *["compiled"] * self.compiled]
        )


WAYS = (
    Way("float32"),
    Way("tf32"),
    Way("bfloat16"),
    Way("bfloat16", channels_last=True),
    Way("bfloat16", channels_last=True, compiled=True),
    Way("float16", channels_last=True),
    Way("float16", channels_last=True, compiled=True),
)


@dataclass(frozen=True, slots=True)
class Throughput:
    """What one way did.

    Attributes:
        way: In words.
        batch: Volumes at once.
        volumes_per_second: Of the median run.
        peak_share: Floating-point operations a second over those of the matrix product.
        largest_difference: From single precision, as a share of its largest number.
    """

    way: str
    batch: int
    volumes_per_second: float
    peak_share: float
    largest_difference: float


def operations(trunk: str, block: Sequence[int]) -> int:
    """Floating-point operations for one volume: two for each multiplication of a convolution.

    Args:
        trunk: "resnet18", "resnet34" or "resnet50".
        block: Voxels along each axis.
    """
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    with torch.device("meta"), torch.inference_mode(), FlopCounterMode(display=False) as counted:
        build_resnet(ResNetShape.named(trunk, len(block), WINDOWS)).eval()(torch.empty(1, WINDOWS, *block))
    return int(counted.get_total_flops())


def peak(device: str, side: int = PEAK_SIDE, repeats: int = REPEATS) -> float:
    """Floating-point operations a second of a square bfloat16 matrix product, the fastest of its runs."""
    import torch

    left, right = (torch.randn(side, side, device=device, dtype=torch.bfloat16) for _ in range(2))
    return 2.0 * side**3 / min(seconds(lambda: left @ right, device, repeats))


def seconds(run: Callable[[], object], device: str, repeats: int) -> list[float]:
    """How long each run took, after as many that do not count, at most three; on CUDA it is waited for."""
    import torch

    def wait() -> None:
        if device == "cuda":
            torch.cuda.synchronize()

    for _ in range(min(3, repeats)):
        run()
    taken = []
    for _ in range(repeats):
        wait()
        started = time.perf_counter()
        run()
        wait()
        taken.append(time.perf_counter() - started)
    return taken


def prepared(network: nn.Module, volumes: Tensor, way: Way) -> Callable[[], Tensor]:
    """The network run on these volumes in one way; its own weights stay as they are.

    Args:
        network: In single precision, on the volumes' device.
        volumes: (n, windows, *block), single precision; films go as well.
        way: How.
    """
    import copy

    import torch

    numbers = torch.float32 if way.numbers == "tf32" else getattr(torch, way.numbers)
    last = torch.channels_last_3d if volumes.ndim == 5 else torch.channels_last
    layout: Any = last if way.channels_last else torch.contiguous_format
    own = copy.deepcopy(network).to(numbers)
    if way.channels_last:
        own = own.to(memory_format=layout)
    images = volumes.to(numbers).contiguous(memory_format=layout)
    called: Any = torch.compile(own) if way.compiled else own

    def run() -> Tensor:
        with (
            torch.inference_mode(),
            torch.backends.cudnn.flags(benchmark=True, allow_tf32=way.numbers == "tf32"),
        ):
            answer: Tensor = called(images)
            return answer

    return run


def throughputs(
    trunk: str,
    block: Sequence[int],
    batches: Iterable[int],
    ways: Iterable[Way],
    *,
    device: str,
    of_peak: float,
    repeats: int = REPEATS,
) -> list[Throughput]:
    """Every way with every number of volumes at once; a number that does not fit in memory is left out.

    Args:
        trunk: Name of the network.
        block: Voxels along each axis.
        batches: Volumes at once.
        ways: To be compared.
        device: "cuda", or "cpu" to try the script.
        of_peak: Operations a second of the matrix product.
        repeats: Runs that count.
    """
    import torch

    torch.manual_seed(0)
    network = build_resnet(ResNetShape.named(trunk, len(block), WINDOWS)).eval().to(device)
    each, found = operations(trunk, block), []
    ways = tuple(ways)
    for batch in batches:
        volumes = torch.randn(batch, WINDOWS, *block, device=device)
        try:
            expected = prepared(network, volumes, Way("float32"))()
            for way in ways:
                run = prepared(network, volumes, way)
                apart = (run().float() - expected).abs().max() / expected.abs().max()
                rate = batch / statistics.median(seconds(run, device, repeats))
                found.append(Throughput(way.name, batch, rate, rate * each / of_peak, float(apart)))
        except torch.OutOfMemoryError:
            torch.cuda.empty_cache()
    return found


def main() -> None:
    """Measure, and print a table or JSON."""
    import torch

    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu_encoding", description=__doc__)
    parser.add_argument("--trunk", choices=("resnet18", "resnet34", "resnet50"), default="resnet18")
    parser.add_argument("--block", type=int, nargs=3, default=(64, 128, 128), help="levels, rows, columns")
    parser.add_argument("--batches", type=int, nargs="+", default=(1, 8, 32, 64))
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    if not torch.cuda.is_available():
        sys.stderr.write(
            "error: gpu_encoding: there is no CUDA device; run it where torch.cuda.is_available()\n"
        )
        raise SystemExit(2)
    of_peak = peak("cuda")
    rows = throughputs(asked.trunk, asked.block, asked.batches, WAYS, device="cuda", of_peak=of_peak)
    stated = {
        "device": torch.cuda.get_device_name(),
        "torch": torch.__version__,
        "trunk": asked.trunk,
        "block": list(asked.block),
        "giga_operations_a_volume": operations(asked.trunk, asked.block) / 1e9,
        "matrix_product_tera_operations_a_second": of_peak / 1e12,
        "ways": [asdict(row) for row in rows],
    }
    print(json.dumps(stated, indent=2) if asked.json else table(stated, rows))


def table(stated: dict[str, Any], rows: Sequence[Throughput]) -> str:
    """For people; the fastest way is marked."""
    fastest = max((row.volumes_per_second for row in rows), default=0.0)
    block = " x ".join(map(str, stated["block"]))
    lines = [
        f"{stated['device']}: {stated['trunk']} on {block}, {stated['giga_operations_a_volume']:.1f} "
        f"Gflop a volume; bf16 matrix product "
        f"{stated['matrix_product_tera_operations_a_second']:.0f} Tflop/s",
        "",
        "| way | volumes at once | volumes/s | share of the peak | difference |",
        "|--|--:|--:|--:|--:|",
    ]
    for row in rows:
        mark = " (fastest)" if row.volumes_per_second == fastest else ""
        lines.append(
            f"| {row.way}{mark} | {row.batch} | {row.volumes_per_second:.1f} | {row.peak_share:.1%} "
            f"| {row.largest_difference:.1e} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
