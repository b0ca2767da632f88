"""losses.sh's comparison: strata's losses of sequences and distributions, and its window over a text,
against PyTorch's.

losses.py <program losses> <rounds> <seconds> <core>: prints a table. Both sides get the same numbers,
compute the value and the gradient by the prediction, or by all weights, on one thread of one core, and take turns; each
figure is the least of all turns. The losses must agree to 1e-5.
"""

import os
import subprocess
import sys
import time

import torch

def numbers(*shape):
    count = 1
    for size in shape:
        count *= size
    i = torch.arange(count, dtype=torch.float64)
    return (3 * torch.sin(0.37 * i)).to(torch.float32).reshape(shape)


def ctc(batch, steps, labels, classes):
    logits = numbers(batch, steps, classes)
    y = (1 + 7 * torch.arange(batch * labels) % (classes - 1)).reshape(batch, labels)
    lengths = torch.full((batch,), steps), torch.full((batch,), labels)

    def loss(prediction):
        logs = torch.log_softmax(prediction, -1).transpose(0, 1)
        return torch.nn.functional.ctc_loss(logs, y, *lengths, reduction="none").mean()

    return logits, loss


def pen(batch, steps, k):
    y = numbers(batch, steps, 3)
    end = (y[..., 2] > 0).to(torch.float32)

    def loss(prediction):
        e, logits, m1, m2, s1, s2, r = prediction.split([1, k, k, k, k, k, k], -1)
        rho = torch.tanh(r)
        z1, z2 = (y[..., :1] - m1) * torch.exp(-s1), (y[..., 1:2] - m2) * torch.exp(-s2)
        rest = 1 - rho * rho
        square = (z1 * z1 + z2 * z2 - 2 * rho * z1 * z2) / rest
        logs = torch.log_softmax(logits, -1) - 1.8378770664093453 - s1 - s2
        points = torch.logsumexp(logs - torch.log(rest) / 2 - square / 2, -1)
        ends = torch.nn.functional.binary_cross_entropy_with_logits(e[..., 0], end, reduction="none")
        return (ends - points).mean()

    return numbers(batch, steps, 6 * k + 1) / 3, loss


def window(batch, steps, units, length):
    """The first layer step by step, as its window demands; PyTorch's LSTM for the layers above."""
    features, characters, gaussians = 3, 57, 10
    sizes = [(features, 4 * units), (units + characters, 4 * units), (4 * units,),
             (units, 3 * gaussians), (3 * gaussians,)]
    for _ in range(2):
        sizes += [(features + units + characters, 4 * units), (units, 4 * units), (4 * units,)]
    counts = [torch.Size(size).numel() for size in sizes]
    x = numbers(batch, steps, features)
    ids = (7 * torch.arange(length) + torch.arange(batch)[:, None]) % characters
    text = torch.nn.functional.one_hot(ids, characters).to(torch.float32)
    places = torch.arange(1.0, length + 1)

    def loss(weights):
        parts = [part.view(size) for part, size in zip(weights.split(counts), sizes)]
        kernel, recurrent, bias, window_kernel, window_bias = parts[:5]
        from_input = torch.cat([kernel, recurrent[units:]]).T
        from_h, zeros = recurrent[:units].T, torch.zeros_like(bias)
        h = c = torch.zeros(batch, units)
        kappa, w = torch.zeros(batch, gaussians), torch.zeros(batch, characters)
        hs, ws = [], []
        for t in range(steps):
            h, c = torch.lstm_cell(torch.cat([x[:, t], w], -1), (h, c), from_input, from_h, bias,
                                   zeros)
            alpha, beta, step = torch.exp(h @ window_kernel + window_bias)[..., None].chunk(3, 1)
            kappa = kappa + step[..., 0]
            phi = (alpha * torch.exp(-beta * (kappa[..., None] - places) ** 2)).sum(1, keepdim=True)
            w = (phi @ text)[:, 0]
            hs.append(h)
            ws.append(w)
        out, seen = [torch.stack(hs, 1)], torch.stack(ws, 1)
        for kernel, recurrent, bias in (parts[5:8], parts[8:11]):
            state = torch.zeros(1, batch, units)
            y, _, _ = torch.lstm(torch.cat([x, out[-1], seen], -1), (state, state),
                                 [kernel.T, recurrent.T, bias, zeros], True, 1, 0.0, True, False,
                                 True)
            out.append(y)
        return (torch.cat(out, -1) ** 2).mean()

    return numbers(1, sum(counts))[0] / 60, loss


def measure(prediction, loss, seconds):
    """The loss, and the least time in microseconds."""
    prediction = prediction.clone().requires_grad_()
    least, end = float("inf"), time.process_time() + seconds
    while time.process_time() < end:
        prediction.grad = None
        start = time.process_time()
        value = loss(prediction)
        value.backward()
        least = min(least, time.process_time() - start)
    return value.item(), 1e6 * least


def main(program, rounds, seconds, core):
    os.sched_setaffinity(0, {int(core)})
    torch.set_num_threads(1)
    strata, pytorch = {}, {}
    for _ in range(int(rounds)):
        lines = subprocess.run([program, seconds], capture_output=True, text=True, check=True)
        for line in lines.stdout.splitlines():
            name, value, microseconds = line.split()
            kind, *sizes = name.split("-")
            prediction, loss = {"ctc": ctc, "pen": pen, "window": window}[kind](*map(int, sizes))
            other, other_time = measure(prediction, loss, float(seconds))
            if abs(other - float(value)) > 1e-5 * abs(other):
                sys.exit(f"{name}: strata computes {value}, PyTorch {other}")
            strata[name] = min(strata.get(name, float("inf")), float(microseconds))
            pytorch[name] = min(pytorch.get(name, float("inf")), other_time)
    print("| case | strata, us | PyTorch, us | strata is |")
    print("|---|---|---|---|")
    for name in strata:
        ratio = pytorch[name] / strata[name]
        print(f"| {name} | {strata[name]:.0f} | {pytorch[name]:.0f} | {ratio:.2f} times as fast |")


if __name__ == "__main__":
    main(*sys.argv[1:])
