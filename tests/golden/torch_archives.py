"""Folder pytorch/archives: files of torch.save, with the tensors of pytorch/lstm_2.safetensors where
they can be read; pytorch/lstm_2.*.reference has what PyTorch computes."""

import collections
import os
import warnings

import torch
from safetensors.torch import load_file
from torch import nn

from torch_state_dicts import Chain, lstm

# Archives hold nothing but what they are asked to hold: times and versions of zip are fixed.


class Named:
    """An object whose pickle names a function of the system."""

    def __reduce__(self):
        return (os.system, ("exit 1",))


def write_all(folder):
    archives = os.path.join(folder, "archives")
    os.makedirs(archives, exist_ok=True)
    path = lambda name: os.path.join(archives, name)
    model = Chain(lstm=lstm(2, 3, 2), linear=nn.Linear(3, 2))
    model.load_state_dict(load_file(os.path.join(folder, "lstm_2.safetensors")))
    state = model.state_dict()

    torch.save(state, path("plain.pt"))
    optimizer = torch.optim.Adam(model.parameters())
    model(torch.zeros(1, 2, 2)).sum().backward()
    before = {name: value.clone() for name, value in state.items()}
    optimizer.step()
    checkpoint = {"epoch": 3, "loss": 0.5, "optimizer_state_dict": optimizer.state_dict()}
    torch.save({**checkpoint, "model_state_dict": before}, path("checkpoint.pth"))
    model.load_state_dict(before)
    state = model.state_dict()
    lightning = {
        "epoch": 1,
        "global_step": 2**40,
        "pytorch-lightning_version": "2.4.0",
        "state_dict": state,
        "loops": {"fit_loop": {"done": True, "total": None}},
        "callbacks": {},
        "optimizer_states": [optimizer.state_dict()],
        "hyper_parameters": {"rate": 1e-3, "shape": torch.Size([1, 2]), "device": torch.device("cpu")},
    }
    torch.save(lightning, path("lightning.ckpt"))
    turned = {n: v.t().contiguous().t() if v.dim() == 2 else v for n, v in state.items()}
    torch.save(turned, path("strides.pt"))
    flat = torch.cat([torch.zeros(5)] + [v.flatten() for v in state.values()])
    parts, at = collections.OrderedDict(), 5
    for name, value in state.items():
        parts[name] = flat[at : at + value.numel()].view(value.shape)
        at += value.numel()
    torch.save(parts, path("one_storage.pt"))
    torch.save({n: nn.Parameter(v.double()) for n, v in state.items()}, path("parameters.pt"))
    torch.save(state, path("protocol_4.pt"), pickle_protocol=4)
    averaged = torch.optim.swa_utils.AveragedModel(model)
    averaged.update_parameters(model)
    torch.save(averaged.state_dict(), path("averaged.pt"))

    torch.save(model, path("refused_module.pt"))
    torch.save({**state, "named": Named()}, path("refused_name.pt"))
    torch.save(state, path("refused_old.pt"), _use_new_zipfile_serialization=False)
    torch.save({"one": state, "two": state}, path("refused_several.pt"))
    torch.save(list(state.values()), path("refused_list.pt"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.save(torch.jit.script(nn.Linear(2, 1)), path("refused_script.pt"))
        exported = torch.export.export(nn.Linear(2, 1), (torch.zeros(1, 2),))
        torch.export.save(exported, path("refused_export.pt2"))
        torch.save(torch.export.load(path("refused_export.pt2")).state_dict, path("of_export.pt"))
