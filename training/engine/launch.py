"""Start of a training in its processes, on its devices, with a precision."""

import os
from typing import Literal

import torch
from lightning.fabric import Fabric

Precision = Literal["bf16-mixed", "32-true"]


def launch(precision: Precision, threads: int | None = None) -> Fabric:
    """Set up the processes and devices of a training.

    Parameters
    ----------
    precision : {"bf16-mixed", "32-true"}
        Precision of the forward passes; weights are float32.
    threads : int, optional
        Threads of one process on the CPU; torch chooses by default.

    Returns
    -------
    Fabric
        For this process, or for all that ``torchrun`` has started, on GPUs if there are any.
    """
    if threads is not None:
        torch.set_num_threads(threads)
    torch.backends.cudnn.benchmark = True  # crops are of few sizes
    world, local = (int(os.environ.get(name, "1")) for name in ("WORLD_SIZE", "LOCAL_WORLD_SIZE"))
    fabric = Fabric(
        accelerator="cuda" if torch.cuda.is_available() else "cpu",
        devices=local,
        num_nodes=max(1, world // local),
        strategy="ddp" if world > 1 else "auto",
        precision=precision,
    )
    fabric.launch()
    return fabric
