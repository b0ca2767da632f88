#pragma once

#include <concepts>

#include <strata/io/common/loaded.hpp>
#include <strata/io/common/source.hpp>
#include <strata/model/forward_network.hpp>
#include <strata/target.hpp>

// The JSON files of RTNeural, https://github.com/jatinchowdhury18/RTNeural: a list of Keras layers,
// each with its weights in Keras' order and the shape of its output.

namespace strata::inline STRATA_RUNTIME {

/// The model of a JSON file of RTNeural with layers of the types dense, time-distributed-dense,
/// lstm, gru (with reset_after) and activation. A recurrent layer whose shape in the file is [null,
/// null, U] takes (B, T, F) to (B, T, U); one of the shape [null, U] takes it to (B, U). `from` is
/// a path or bytes in memory.
///
///   auto model = load_rtneural("model.json");            // or load_rtneural<double>("model.json")
///
/// What players of amplifiers, such as AIDA-X, keep beside the layers is read too: `in_skip` 1,
/// which adds the input to the output, `in_gain` and `out_gain` in decibels, which become layers,
/// and the samples `input_batch` and `output_batch`, with which the model is tested.
///
/// Throws FileError when the file cannot be read, FormatError, naming the layer, on unknown types
/// of layers, activations and settings, on weights and shapes that do not fit each other, and where
/// the model computes other samples than the file has.
template <std::floating_point Scalar = float>
[[nodiscard]] io::Loaded<Scalar> load_rtneural(const io::Source& from);

namespace io {

/// What load_rtneural with a model comes down to, whatever the type of the model.
template <class Scalar>
void load_rtneural_network(const Source& from, ForwardNetwork<Scalar> network);

}  // namespace io

/// Gives a model, static or run-time, the weights of a JSON file of RTNeural. The model must have
/// the layers of the file, but for layers that only training uses. Throws StateError before the
/// model is built, FileError and FormatError as load_rtneural does, and FormatError when the layers
/// differ; the model keeps its weights then.
template <class Model>
  requires requires { typename Model::scalar_type; }
void load_rtneural(const io::Source& from, Model& model) {
  io::load_rtneural_network(from, model.forward_network());
}

}  // namespace strata::inline STRATA_RUNTIME

#ifndef STRATA_COMPILED
#include <strata/io/rtneural_definitions.hpp>
#endif
