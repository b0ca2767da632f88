"""PyTorch's side of the comparison."""

from __future__ import annotations

import argparse
import platform
import warnings

import torch

from cases import Case, noise_data, noise_weights
from serving import serve


class Subject:
    """One case in one of the ways in which PyTorch can run it."""

    def __init__(self, case: Case, way: str, one_bias: bool, epsilon: float):
        batch_first = "batch first" in way
        self.onednn = "oneDNN" in way
        self.lstm = torch.nn.LSTM(
            case.features, case.units, num_layers=case.layers, batch_first=batch_first
        )
        self.dense = torch.nn.Linear(case.units, 1)
        self.last = (slice(None), -1) if batch_first else (-1,)
        self.set_weights(case, one_bias)
        parameters = [p for m in (self.lstm, self.dense) for p in m.parameters() if p.requires_grad]
        self.optimizer = torch.optim.Adam(parameters, lr=1e-3, eps=epsilon, fused=True)
        self.loss = torch.nn.MSELoss()
        x, y = map(torch.from_numpy, noise_data(case))
        self.x = x if batch_first else x.transpose(0, 1).contiguous()
        self.y = y
        if "compiled" in way:
            self.forward = torch.compile(self.forward)

    def set_weights(self, case: Case, one_bias: bool) -> None:
        """PyTorch has two biases; the second one is zero."""
        values = [torch.from_numpy(w.T.copy()) for w in noise_weights(case)]
        with torch.no_grad():
            for layer in range(case.layers):
                for name in ("weight_ih", "weight_hh", "bias_ih"):
                    getattr(self.lstm, f"{name}_l{layer}").copy_(values.pop(0))
                second = getattr(self.lstm, f"bias_hh_l{layer}")
                second.zero_()
                second.requires_grad_(not one_bias)
            self.dense.weight.copy_(values.pop(0))
            self.dense.bias.copy_(values.pop(0))

    def forward(self) -> torch.Tensor:
        return self.dense(self.lstm(self.x)[0][self.last])

    def train(self) -> torch.Tensor:
        with torch.backends.mkldnn.flags(enabled=self.onednn):
            self.optimizer.zero_grad(set_to_none=True)
            loss = self.loss(self.forward(), self.y)
            loss.backward()
            self.optimizer.step()
            return loss.detach()

    def predict(self) -> torch.Tensor:
        with torch.backends.mkldnn.flags(enabled=self.onednn), torch.inference_mode():
            return self.forward()


class Torch:
    def __init__(self, options: argparse.Namespace):
        warnings.simplefilter("ignore")
        torch.set_num_threads(options.threads)
        torch.set_num_interop_threads(1)
        self.compiled = options.torch_compile

    def info(self) -> str:
        isa = torch.backends.cpu.get_cpu_capability()
        return f"PyTorch {torch.__version__}; ATen {isa}; Python {platform.python_version()}"

    def ways(self, what: str) -> list[str]:
        ways = [
            f"{kernels}, {order} first"
            for kernels in ("oneDNN", "ATen's own")
            for order in ("batch", "steps")
        ]
        return ways + ["oneDNN, steps first, compiled"] * self.compiled

    def prepare(self, case: Case, what: str, way: str, check: bool):
        # Keras and PyTorch add epsilon in different places: a tiny one makes them the same.
        subject = Subject(case, way, one_bias=check, epsilon=1e-12 if check else 1e-7)
        return getattr(subject, what)

    def numbers(self, result: torch.Tensor) -> list[float]:
        return result.ravel().tolist()

    def forget(self) -> None:
        pass


if __name__ == "__main__":
    serve(Torch)
