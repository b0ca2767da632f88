#!/usr/bin/env python3
"""transducer.txt: the loss of a transducer, and its gradients, by torchaudio's rnnt_loss.

The logits at step t behind u labels are x W + b at the step, plus the row of the embedding E of the
last label (0 before the first). Run by hand, since torchaudio has the loss in old releases only:

    python3 -m venv venv && venv/bin/pip install torchaudio==2.7.1 torch==2.7.1 numpy==2.2.6
    venv/bin/python tests/golden/transducer.py
"""

import os

import torch
import torchaudio

from golden_file import GoldenFile, draw, rng


def transducer():
    file = GoldenFile("torchaudio.functional.rnnt_loss, float32", digits=9,
                      packages=("numpy", "torch", "torchaudio"),
                      script="transducer.py")
    one(file, "lengths", (3, 6, 2), 4, lengths=[6, 4, 5], labels=[[1, 2, 2], [3], []])
    one(file, "more_labels_than_steps", (1, 2, 3), 3, lengths=[2], labels=[[1, 2, 2, 1, 1]])
    one(file, "many", (2, 20, 4), 12, lengths=[20, 17],
        labels=[[1 + i * i % 11 for i in range(9)], [1 + 5 * i % 11 for i in range(7)]])
    return file


def one(file, case, shape, classes, lengths, labels):
    random = rng(f"transducer.{case}")
    tensor = lambda *sizes: torch.tensor(draw(random, *sizes), dtype=torch.float32)
    x = tensor(*shape)
    weights = {"kernel": tensor(shape[2], classes), "bias": tensor(classes),
               "embeddings": tensor(classes, classes)}
    for weight in weights.values():
        weight.requires_grad_()
    longest = max(1, max(map(len, labels)))
    padded = torch.zeros(len(labels), longest, dtype=torch.int32)
    for row, sequence in zip(padded, labels):
        row[: len(sequence)] = torch.tensor(sequence, dtype=torch.int32)
    read = torch.cat([torch.zeros(len(labels), 1, dtype=torch.int32), padded], 1).long()
    encoded = x @ weights["kernel"] + weights["bias"]
    logits = encoded[:, :, None] + weights["embeddings"][read][:, None]
    counts = torch.tensor([len(sequence) for sequence in labels], dtype=torch.int32)
    loss = torchaudio.functional.rnnt_loss(
        logits, padded, torch.tensor(lengths, dtype=torch.int32), counts, blank=0,
        reduction="mean")
    loss.backward()
    file.add_all(case, {"x": x, "labels": padded.numpy(), "lengths": lengths})
    file.add_all(f"{case}.weight", {k: v.detach().numpy() for k, v in weights.items()})
    file.add(f"{case}.loss", loss.item())
    file.add_all(f"{case}.grad", {k: v.grad.numpy() for k, v in weights.items()})


if __name__ == "__main__":
    torch.set_num_threads(1)
    folder = os.path.dirname(os.path.abspath(__file__))
    transducer().write(os.path.join(folder, "transducer.txt"))
