"""window.txt: the window over a text of Graves 2013, Generating sequences with recurrent neural
networks, section 5, by its equations 46 to 51 in PyTorch: outputs, states, and gradients."""

import numpy as np
import torch

from golden_file import GoldenFile, draw, rng


def window():
    file = GoldenFile("WindowLSTM and WindowStack, float64", packages=("numpy", "torch"))
    one(file, "alone", units=[5], lengths=[6, 6])
    one(file, "no_peepholes", units=[4], lengths=[5], peepholes=False)
    one(file, "stack", units=[5, 4, 3], lengths=[7, 4, 6])
    one(file, "many_places", units=[3, 3], lengths=[9, 9], places=19, advance=0.7)
    return file


class Window:
    """LSTMs with gates i, f, g, o in kernels (inputs, 4U); the first has peepholes and the window."""

    def __init__(self, random, features, units, gaussians, characters, peepholes, advance):
        self.units, self.gaussians, self.characters = units, gaussians, characters
        tensor = lambda *shape: torch.tensor(draw(random, *shape), requires_grad=True)
        self.weights = {}
        for i, width in enumerate(units):
            inputs = features if i == 0 else features + units[i - 1] + characters
            seen = width + characters if i == 0 else width
            self.weights[f"{i}.kernel"] = tensor(inputs, 4 * width)
            self.weights[f"{i}.recurrent_kernel"] = tensor(seen, 4 * width)
            self.weights[f"{i}.bias"] = tensor(4 * width)
            if i == 0:
                for gate in ("input", "forget", "output") if peepholes else ():
                    self.weights[f"0.peephole_{gate}"] = tensor(width)
                self.weights["0.window_kernel"] = tensor(width, 3 * gaussians)
                self.weights["0.window_bias"] = tensor(3 * gaussians)
        with torch.no_grad():
            self.weights["0.window_bias"][2 * gaussians :] += np.log(advance)

    def lstm(self, i, x, h, c):
        w = lambda name: self.weights.get(f"{i}.{name}", 0)
        zi, zf, zg, zo = (x @ w("kernel") + h @ w("recurrent_kernel") + w("bias")).chunk(4, -1)
        c_next = (torch.sigmoid(zf + w("peephole_forget") * c) * c
                  + torch.sigmoid(zi + w("peephole_input") * c) * torch.tanh(zg))
        return torch.sigmoid(zo + w("peephole_output") * c_next) * torch.tanh(c_next), c_next

    def run(self, x, text, counts):
        """x (B, T, F), text (B, L, V), counts (B, T)."""
        batch, steps, _ = x.shape
        zeros = lambda size: torch.zeros(batch, size, dtype=torch.float64)
        h, c = [zeros(width) for width in self.units], [zeros(width) for width in self.units]
        kappa, w = zeros(self.gaussians), zeros(self.characters)
        places = torch.arange(1, text.shape[1] + 1, dtype=torch.float64)
        outputs = []
        for t in range(steps):
            now = counts[:, t : t + 1]
            keep = lambda new, old: torch.where(now, new, old)
            h0, c0 = self.lstm(0, x[:, t], torch.cat([h[0], w], -1), c[0])
            parameters = h0 @ self.weights["0.window_kernel"] + self.weights["0.window_bias"]
            alpha, beta, step = torch.exp(parameters).chunk(3, -1)
            kappa = keep(kappa + step, kappa)
            phi = (alpha[..., None] * torch.exp(
                -beta[..., None] * (kappa[..., None] - places) ** 2)).sum(1)
            w = keep((phi[..., None] * text).sum(1), w)
            h[0], c[0] = keep(h0, h[0]), keep(c0, c[0])
            for i in range(1, len(self.units)):
                new = self.lstm(i, torch.cat([x[:, t], h[i - 1], w], -1), h[i], c[i])
                h[i], c[i] = keep(new[0], h[i]), keep(new[1], c[i])
            outputs.append(torch.cat(h if len(h) > 1 else [h[0], w], -1))
        return torch.stack(outputs, 1), torch.cat([h[0], w, c[0], kappa], -1)


def one(file, case, units, lengths, places=4, advance=0.4, peepholes=True):
    random = rng(f"window.{case}")
    features, gaussians, characters, steps = 2, 3, 3, max(lengths)
    model = Window(random, features, units, gaussians, characters, peepholes, advance)
    x = torch.tensor(draw(random, len(lengths), steps, features), requires_grad=True)
    text = torch.tensor(np.eye(characters)[random.integers(0, characters, (len(lengths), places))])
    counts = torch.arange(steps) < torch.tensor(lengths)[:, None]
    y, state = model.run(x, text, counts)
    weighting = torch.tensor(draw(random, *y.shape))
    (y * weighting).sum().backward()
    file.add_all(case, {"x": x.detach().numpy(), "text": text.numpy(), "lengths": lengths,
                        "units": units, "gaussians": gaussians, "weighting": weighting.numpy(),
                        "y": y.detach().numpy(), "state": state.detach().numpy(),
                        "dx": x.grad.numpy()})
    file.add_all(f"{case}.weight", {k: v.detach().numpy() for k, v in model.weights.items()})
    file.add_all(f"{case}.grad", {k: v.grad.numpy() for k, v in model.weights.items()})
