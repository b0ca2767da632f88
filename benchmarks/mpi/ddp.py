"""The time of the same training step with PyTorch's DistributedDataParallel over gloo:

    ddp.py <processes> <U> [steps]

Prints JSON: the median and the least time of a step in seconds, and the version. Each process has one
thread and one processor core.
"""

import json
import os
import statistics
import sys
import time

import torch
import torch.distributed
import torch.multiprocessing
from torch import nn

BATCH, STEPS, FEATURES = 64, 100, 32


class Stack(nn.Module):
    def __init__(self, units):
        super().__init__()
        self.lstm = nn.LSTM(FEATURES, units, num_layers=2)
        self.dense = nn.Linear(units, 1)

    def forward(self, x):
        return self.dense(self.lstm(x)[0][-1])


def train(rank, processes, units, steps):
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[rank % len(cores)]})
    torch.set_num_threads(1)
    torch.manual_seed(1)
    model = Stack(units)
    if processes > 1:
        os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT="29517")
        torch.distributed.init_process_group("gloo", rank=rank, world_size=processes)
        model = nn.parallel.DistributedDataParallel(
            model, gradient_as_bucket_view=True, static_graph=True
        )
    optimizer = torch.optim.Adam(model.parameters())
    loss = nn.MSELoss()
    x = torch.randn(STEPS, BATCH // processes, FEATURES)
    y = torch.zeros(BATCH // processes, 1)
    times = []
    for _ in range(steps):
        begin = time.perf_counter()
        optimizer.zero_grad()
        loss(model(x), y).backward()
        optimizer.step()
        times.append(time.perf_counter() - begin)
    if rank == 0:
        times = times[3:]
        found = {"median": statistics.median(times), "least": min(times), "version": torch.__version__}
        print(json.dumps(found), flush=True)
    if processes > 1:
        # gloo's threads now and then abort a process that takes them down.
        torch.distributed.barrier()
        os._exit(0)


if __name__ == "__main__":
    processes, units = int(sys.argv[1]), int(sys.argv[2])
    steps = int(sys.argv[3]) if len(sys.argv) > 3 else 30
    if processes == 1:
        train(0, 1, units, steps)
    else:
        torch.multiprocessing.spawn(train, (processes, units, steps), nprocs=processes)
