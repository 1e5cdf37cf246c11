"""The GPU benchmark on a CPU: what it counts, that its ways agree, and that it stops without a GPU."""

from __future__ import annotations

import sys

import pytest
import torch

from benchmarks.gpu_encoding import Way, main, operations, peak, table, throughputs

FILM = (64, 64)  # a CPU is slow at short numbers in three dimensions


def by_hand(block: tuple[int, int, int]) -> int:
    """Two operations for each weight of a convolution at each of its places, in a ResNet-18 of two images."""
    voxels = block[0] * block[1] * block[2]
    total = 2 * 64 * 7**3 * voxels // 8  # the stem halves each axis, the pooling after it again
    before = 64
    for stage, width in enumerate((64, 128, 256, 512)):
        places = voxels // (64 * 8**stage)
        total += before * width * 27 * places + 3 * width * width * 27 * places
        total += before * width * places if stage else 0
        before = width
    return 2 * total


@pytest.mark.parametrize("block", [(32, 32, 32), (64, 128, 128)])
def test_the_operations_of_a_network_are_those_counted_by_hand(block: tuple[int, int, int]) -> None:
    assert operations("resnet18", block) == by_hand(block)


def test_ways_agree_within_the_length_of_their_numbers_and_shares_are_of_the_peak() -> None:
    torch.set_num_threads(1)
    ways = (Way("float32"), Way("float32", channels_last=True), Way("bfloat16", channels_last=True))
    rows = throughputs("resnet18", FILM, (1,), ways, device="cpu", of_peak=1e12, repeats=1)
    assert [(row.way, row.batch) for row in rows] == [(way.name, 1) for way in ways]
    two = throughputs("resnet18", FILM, (2,), ways[:1], device="cpu", of_peak=1e12, repeats=1)
    assert [row.batch for row in two] == [2]
    for row in rows:
        assert row.peak_share == pytest.approx(row.volumes_per_second * operations("resnet18", FILM) / 1e12)
        assert row.largest_difference < (0.05 if "bfloat16" in row.way else 1e-4)
    assert rows[2].largest_difference > 1e-4
    stated = {
        "device": "cpu",
        "trunk": "resnet18",
        "block": FILM,
        "giga_operations_a_volume": 1.0,
        "matrix_product_tera_operations_a_second": 1.0,
    }
    assert table(stated, rows).count("(fastest)") == 1
    assert peak("cpu", side=64, repeats=1) > 0.0


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_without_cuda_it_stops_and_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["gpu_encoding"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert "there is no CUDA device" in capsys.readouterr().err
