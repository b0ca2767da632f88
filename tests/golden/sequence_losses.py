"""sequence_losses.txt: values, and gradients by the prediction, of losses of sequences and of
distributions, by torch.nn.CTCLoss and torch.distributions."""

import numpy as np
import torch

from golden_file import GoldenFile, draw, rng


def sequence_losses():
    file = GoldenFile("losses of sequences and distributions, float64", packages=("numpy", "torch"))
    ctc(file, "ctc.lengths", (3, 7, 4), lengths=[7, 5, 6], labels=[[1, 2, 2], [3], [1, 1, 1]])
    ctc(file, "ctc.least_steps", (2, 6, 3), lengths=[6, 3], labels=[[1, 1, 2, 2], [1, 2, 1]])
    ctc(file, "ctc.no_labels", (2, 4, 3), lengths=[4, 2], labels=[[], [2]])
    ctc(file, "ctc.far_logits", (2, 6, 3), lengths=[6, 6], labels=[[1, 2], [2]], scale=512)
    ctc(file, "ctc.impossible", (2, 4, 3), lengths=[4, 4], labels=[[1, 1, 1], [2]], zero=True)
    ctc(file, "ctc.many_labels", (2, 30, 12), lengths=[30, 26],
        labels=[[1 + i * i % 11 for i in range(14)], [1 + 7 * i % 11 for i in range(12)]])
    long_ctc(file)
    gaussian(file)
    quantiles(file)
    mixture(file)
    pen(file)
    return file


def ctc_loss(logits, lengths, labels, zero=False):
    """The mean over the samples."""
    targets = torch.tensor([label for sequence in labels for label in sequence], dtype=torch.long)
    losses = torch.nn.functional.ctc_loss(
        torch.log_softmax(logits, -1).transpose(0, 1), targets, torch.tensor(lengths),
        torch.tensor([len(sequence) for sequence in labels]), reduction="none", zero_infinity=zero)
    return losses.mean()


def ctc(file, case, shape, lengths, labels, scale=4.0, zero=False):
    logits = draw(rng(case), *shape, scale=scale)
    padded = np.zeros((shape[0], max(1, max(map(len, labels)))))
    for row, sequence in zip(padded, labels):
        row[: len(sequence)] = sequence
    one(file, case, logits, lambda y: ctc_loss(y, lengths, labels, zero),
        {"lengths": lengths, "y": padded})


def long_ctc(file):
    """2000 steps, of inputs that the test computes too."""
    steps, classes = np.arange(2000)[:, None], np.arange(6)[None]
    logits = torch.tensor(3 * np.sin(0.37 * steps + 1.3 * classes)[None], requires_grad=True)
    labels = [1 + 7 * i % 5 for i in range(400)]
    value = ctc_loss(logits, [2000], [labels])
    value.backward()
    weighted = logits.grad[0].numpy() * np.cos(0.11 * steps)
    file.add_all("long", {"loss": value.item(), "weighted_gradient": weighted.sum(0)[None]})


def gaussian(file):
    random = rng("gaussian_nll")
    for case, shape in {"rank2": (3, 2), "rank3": (2, 3, 1)}.items():
        y = torch.from_numpy(draw(random, *shape, scale=2))
        prediction = draw(random, *shape[:-1], 2 * shape[-1], scale=2)

        def loss(prediction, y=y):
            mean, log_variance = prediction.chunk(2, -1)
            normal = torch.distributions.Normal(mean, torch.exp(log_variance / 2))
            return -normal.log_prob(y).mean()

        one(file, f"gaussian_nll.{case}", prediction, loss, {"y": y})


def quantiles(file):
    random = rng("quantiles")
    y = torch.from_numpy(draw(random, 2, 3, 2, scale=2))
    q = torch.tensor([0.1, 0.5, 0.9], dtype=torch.float64)
    prediction = draw(random, 2, 3, 6, scale=2)

    def loss(prediction):
        error = y[..., None] - prediction.reshape(2, 3, 2, 3)
        return torch.maximum(q * error, (q - 1) * error).mean()

    one(file, "quantiles.two_features", prediction, loss, {"y": y})


def mixture(file):
    for case, shape, components, dimensions in (
        ("one_dimension", (4,), 3, 1), ("three_dimensions", (2, 3), 2, 3)):
        random = rng(f"mixture_density.{case}")
        k, d = components, dimensions
        y = torch.from_numpy(draw(random, *shape, d, scale=2))

        def loss(prediction, shape=shape, k=k, d=d, y=y):
            logits, means, log_deviations = prediction.split([k, k * d, k * d], -1)
            normals = torch.distributions.Normal(
                means.reshape(*shape, k, d), torch.exp(log_deviations).reshape(*shape, k, d))
            return -torch.distributions.MixtureSameFamily(
                torch.distributions.Categorical(logits=logits),
                torch.distributions.Independent(normals, 1)).log_prob(y).mean()

        prediction = draw(random, *shape, k * (1 + 2 * d), scale=2)
        one(file, f"mixture_density.{case}", prediction, loss, {"y": y})


def pen(file):
    random = rng("pen_density")
    k = 3
    y = draw(random, 2, 4, 3, scale=2)
    y[..., 2] = random.integers(0, 2, (2, 4))
    y = torch.from_numpy(y)

    def loss(prediction):
        end, logits, m1, m2, s1, s2, r = prediction.split([1, k, k, k, k, k, k], -1)
        s1, s2, r = torch.exp(s1), torch.exp(s2), torch.tanh(r)
        rows = torch.stack([s1 * s1, r * s1 * s2, r * s1 * s2, s2 * s2], -1)
        normals = torch.distributions.MultivariateNormal(
            torch.stack([m1, m2], -1), rows.reshape(2, 4, k, 2, 2))
        points = torch.distributions.MixtureSameFamily(
            torch.distributions.Categorical(logits=logits), normals)
        ends = torch.distributions.Bernoulli(logits=end[..., 0])
        return -(points.log_prob(y[..., :2]) + ends.log_prob(y[..., 2])).mean()

    one(file, "pen_density.rank3", draw(random, 2, 4, 6 * k + 1, scale=1.5), loss, {"y": y})


def one(file, case, prediction, loss, records):
    tensor = torch.tensor(prediction, requires_grad=True)
    value = loss(tensor)
    value.backward()
    file.add_all(case, {"prediction": prediction} | records | {"value": value.item()})
    file.add(f"{case}.grad", tensor.grad.numpy())
