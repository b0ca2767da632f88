#pragma once

#include <concepts>
#include <utility>

#include <strata/io/common/compare_layers.hpp>
#include <strata/io/common/described_model.hpp>
#include <strata/io/common/layers.hpp>
#include <strata/io/common/model_file.hpp>
#include <strata/io/common/source.hpp>
#include <strata/io/keras.hpp>
#include <strata/io/keras/file.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME {

template <std::floating_point Scalar>
io::Loaded<Scalar> load_keras(const io::Source& from) {
  io::KerasFile file = io::read_keras_file(from);
  if (!file.architecture) {
    from.where().refuse(
        "these are weights alone, without a model: give them to load_keras_weights with one");
  }
  auto model = io::described_model<Scalar>(*file.architecture, file.weights.count(),
                                           io::LayerMaker<Scalar>(), from.where());
  file.weights.give_to(model.network());
  return model;
}

template <class Scalar>
void io::load_keras_network(const Source& from, Network<Scalar> network) {
  (void)network.parameters();
  KerasFile file = read_keras_file(from);
  if (file.architecture) {
    require_same_layers(file.architecture->layers, architecture_of(network).layers, from.where());
  }
  file.weights.give_to(std::move(network));
}

}  // namespace strata::inline STRATA_RUNTIME
