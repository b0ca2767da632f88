#pragma once

#include <concepts>

#include <strata/io/common/loaded.hpp>
#include <strata/io/common/source.hpp>
#include <strata/io/torch/options.hpp>
#include <strata/model/forward_network.hpp>
#include <strata/target.hpp>

// PyTorch's state_dict, the tensors of a model by name. A state_dict says neither in which order
// the modules run nor which functions run between them; PyTorchOptions say both.

namespace strata::inline STRATA_RUNTIME {

/// The model of a PyTorch state_dict. `from` is a path or bytes in memory, of one of four kinds: a
/// file of torch.save, of the state_dict itself or of a checkpoint that holds it (.pt, .pth, and
/// Lightning's .ckpt), of which the tensors alone are read and nothing is run; a file of
/// safetensors.torch.save_file(model.state_dict(), path); JSON that holds each tensor as nested
/// lists; or the JSON of trainers of guitar amplifiers, {"model_data": {...}, "state_dict":
/// {...}}, whose `skip` adds the input to the output.
///
///   auto model = load_pytorch("model.pt");               // or load_pytorch<double>(...)
///   auto classifier = load_pytorch("model.safetensors", {.modules = {"lstm", LastStep{}, "fc"}});
///
/// The modules may be nn.LSTM of any number of layers, bidirectional or not, with or without
/// projection and bias; nn.GRU, nn.RNN, their cells, nn.Linear, nn.LayerNorm, nn.BatchNorm1d with
/// running statistics, nn.Conv1d and nn.PReLU; and nn.Embedding, if the last part of its name says
/// so, as "word_emb" does. The weights of weight_norm are computed from g and v.
/// Unless the options say otherwise, the modules run one after the other, batch first, and return
/// sequences: (B, T, F), or ids (B, T) for an embedding, to (B, T, U). A model of nn.Linear alone
/// takes (B, F) to (B, U).
///
/// Without PyTorchOptions::modules, sizes and the numbers in names must leave one order alone, or
/// one order of recurrent modules before an nn.Linear (io::recurrent_then_linear), and no function
/// may be missing between the modules; docs/files.md has the procedure.
///
/// Throws
/// - FileError when the file cannot be read;
/// - FormatError, naming the tensor, on an unknown, missing, left over or wrongly sized tensor;
/// - FormatError, with the lines of code to choose from, when the modules may run in several orders
///   or a function must run between two modules that `.modules` does not name;
/// - FormatError when the file has a self-test (tools/add_self_test.py) and the model
///   computes other numbers;
/// - ValueError on a nonlinearity that nn.RNN does not have.
template <std::floating_point Scalar = float>
[[nodiscard]] io::Loaded<Scalar> load_pytorch(const io::Source& from,
                                              const PyTorchOptions& options = {});

namespace io {

/// What load_pytorch with a model comes down to, whatever the type of the model.
template <class Scalar>
void load_pytorch_network(const Source& from, ForwardNetwork<Scalar> network,
                          const PyTorchOptions& options);

}  // namespace io

/// Gives a model, static or run-time, the weights of a state_dict. The modules of the file must
/// match the model's layers with weights, by kinds and sizes, in one order alone or in the order of
/// `.modules`. Everything that has no weights is the model's own, whatever the options say:
/// activations of Dense and SimpleRNN, return_sequences, residuals, layers without weights. Throws
/// StateError before the model is built, FileError, FormatError and ValueError as load_pytorch
/// does; the model keeps its weights then.
template <class Model>
  requires requires { typename Model::scalar_type; }
void load_pytorch(const io::Source& from, Model& model, const PyTorchOptions& options = {}) {
  io::load_pytorch_network(from, model.forward_network(), options);
}

}  // namespace strata::inline STRATA_RUNTIME

#ifndef STRATA_COMPILED
#include <strata/io/pytorch_definitions.hpp>
#endif
