#pragma once

#include <string>

#include <strata/io/common/path.hpp>
#include <strata/model/network.hpp>
#include <strata/precision.hpp>
#include <strata/target.hpp>

// A model as a C++ header, for programs that have no file to read.

namespace strata::inline STRATA_RUNTIME {

/// Options of save_header.
///
///   save_header("amp.hpp", model, {.name = "amplifier"})   // amplifier::model()
struct HeaderOptions {
  /// The namespace of everything in the header. Empty, for the file's name without its extension,
  /// so that headers of several files do not collide.
  std::string name = {};
  /// int16: matrices are kept as 16-bit integers with a scale for each column (U), in half the
  /// bytes of floats; model() makes the model's numbers of them. half is refused: its constants
  /// would be as large and less exact.
  Precision precision = Precision::full;
};

namespace io {

/// What save_header comes down to, whatever the type of the model.
template <class Scalar>
void save_network_header(const Path& path, const Network<Scalar>& network,
                         const HeaderOptions& options);

}  // namespace io

/// Writes a C++ header with the type of the model, its weights as constants, and a function model()
/// that makes it. Where a layer's type can fix its sizes, the type in the header does:
///
///   save_header("amp.hpp", model);                     // here
///   const amp::Model model = amp::model();             // elsewhere, with amp.hpp included
///
/// Throws StateError before the model is built; ValueError on layers and cells that are not
/// strata's, on weights that are not finite, on Precision::half, and on a namespace that C++ does
/// not allow; FileError when the file cannot be written.
template <class Model>
void save_header(const io::Path& path, const Model& model, const HeaderOptions& options = {}) {
  io::save_network_header(path, model.network(), options);
}

}  // namespace strata::inline STRATA_RUNTIME

#ifndef STRATA_COMPILED
#include <strata/io/header_definitions.hpp>
#endif
