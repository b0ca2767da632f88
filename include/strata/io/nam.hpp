#pragma once

#include <concepts>

#include <strata/io/common/loaded.hpp>
#include <strata/io/common/source.hpp>
#include <strata/model/network.hpp>
#include <strata/model/state.hpp>
#include <strata/target.hpp>

// The .nam files of Neural Amp Modeler, https://neural-amp-modeler.readthedocs.io: JSON with the
// architecture, its sizes, and all weights as one list of numbers.

namespace strata::inline STRATA_RUNTIME {

/// A model of Neural Amp Modeler, and the trained state in which it starts, before the first
/// sample:
///
///   Stream stream{amp.model};
///   stream.set_state(amp.rest);
template <class Scalar = float>
struct NAMModel {
  io::Loaded<Scalar> model;
  /// The initial h and c of each LSTM layer, which the file keeps, as the state of one stream.
  State<Scalar> rest;
  /// Of the audio that the model was trained on, in samples per second; 0 where the file does not
  /// say.
  double sample_rate = 0;
};

/// The model of a .nam file of Neural Amp Modeler whose architecture is LSTM, (B, T, F) to
/// (B, T, U), where U is 1 or the file's number of output channels. `from` is a path or bytes in
/// memory.
///
///   auto amp = load_nam("amp.nam");                      // or load_nam<double>("amp.nam")
///
/// The file's metadata, such as its loudness, are not read, since they do not change the output.
///
/// Throws FileError when the file cannot be read, FormatError on another architecture, on a version
/// of the format other than 0.5 to 0.7, on unknown settings, and on more or fewer weights than the
/// sizes in the file need.
template <std::floating_point Scalar = float>
[[nodiscard]] NAMModel<Scalar> load_nam(const io::Source& from);

namespace io {

/// What load_nam with a model comes down to, whatever the type of the model.
template <class Scalar>
[[nodiscard]] State<Scalar> load_nam_network(const Source& from, Network<Scalar> network);

}  // namespace io

/// Gives a model, static or run-time, the weights of a .nam file, and returns the state in which a
/// stream of the model starts. The model must have the layers of the file: LSTM layers with
/// return_sequences, then a Dense layer with the outputs of the file; layers that only training
/// uses, such as Dropout, may lie between them. Throws StateError before the model is built,
/// FileError and FormatError as load_nam does, and FormatError when the layers differ; the model
/// keeps its weights then.
template <class Model>
  requires requires { typename Model::scalar_type; }
[[nodiscard]] State<typename Model::scalar_type> load_nam(const io::Source& from, Model& model) {
  return io::load_nam_network(from, model.network());
}

}  // namespace strata::inline STRATA_RUNTIME

#ifndef STRATA_COMPILED
#include <strata/io/nam_definitions.hpp>
#endif
