"""The time of the same training step with PyTorch's DistributedDataParallel over gloo:

    ddp.py <processes> <U> [steps]

Prints JSON: the median and the least time of a step in seconds, and the version. Each process has one
thread and one processor core. The order of the axes and the kernels, PyTorch's own or oneDNN's, are those
that are fastest in a first trial.
"""

import itertools
import json
import os
import statistics
import sys
import time

import torch
import torch.distributed
import torch.multiprocessing
from torch import nn

BATCH, LENGTH, FEATURES = 64, 100, 32
TRIED_STEPS = 5


class Stack(nn.Module):
    def __init__(self, units, batch_first):
        super().__init__()
        self.lstm = nn.LSTM(FEATURES, units, num_layers=2, batch_first=batch_first)
        self.dense = nn.Linear(units, 1)
        self.batch_first = batch_first

    def forward(self, x):
        h = self.lstm(x)[0]
        return self.dense(h[:, -1] if self.batch_first else h[-1])


class Training:
    def __init__(self, processes, units, batch_first, one_dnn):
        torch.manual_seed(1)
        self.one_dnn = one_dnn
        self.model = Stack(units, batch_first)
        if processes > 1:
            self.model = nn.parallel.DistributedDataParallel(
                self.model, gradient_as_bucket_view=True, static_graph=True
            )
        self.optimizer = torch.optim.Adam(self.model.parameters(), fused=True)
        self.loss = nn.MSELoss()
        own = BATCH // processes
        shape = (own, LENGTH, FEATURES) if batch_first else (LENGTH, own, FEATURES)
        self.x, self.y = torch.randn(shape), torch.zeros(own, 1)

    def step(self):
        begin = time.perf_counter()
        with torch.backends.mkldnn.flags(enabled=self.one_dnn):
            self.optimizer.zero_grad()
            self.loss(self.model(self.x), self.y).backward()
            self.optimizer.step()
        return time.perf_counter() - begin


def train(rank, processes, units, steps):
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[rank % len(cores)]})
    torch.set_num_threads(1)
    if processes > 1:
        os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT="29517")
        torch.distributed.init_process_group("gloo", rank=rank, world_size=processes)
    ways = [Training(processes, units, *way) for way in itertools.product((False, True), repeat=2)]
    tried = torch.tensor([min(way.step() for _ in range(TRIED_STEPS)) for way in ways])
    if processes > 1:
        # All take the way of the first process.
        torch.distributed.broadcast(tried, 0)
    best = ways[int(tried.argmin())]
    times = [best.step() for _ in range(steps + 3)][3:]
    if rank == 0:
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
