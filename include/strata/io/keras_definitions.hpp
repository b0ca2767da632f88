#pragma once

#include <concepts>
#include <cstddef>
#include <vector>

#include <strata/io/common/compare_layers.hpp>
#include <strata/io/common/described_model.hpp>
#include <strata/io/common/layers.hpp>
#include <strata/io/common/model_file.hpp>
#include <strata/io/common/source.hpp>
#include <strata/io/common/where.hpp>
#include <strata/io/keras.hpp>
#include <strata/io/keras/file.hpp>
#include <strata/io/keras/layer_tree.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME {

namespace io {

template <class Scalar>
Loaded<Scalar> keras_model_of(KerasFile& file, const Where& where) {
  if (!file.model) {
    where.refuse(
        "these are weights alone, without a model: give them to load_keras_weights with one");
  }
  auto model = described_model<Scalar>(file.model->architecture, file.weights.count(),
                                       LayerMaker<Scalar>(), where);
  auto network = model.network();
  file.weights.give_to(network, file.model->layers);
  network.set_parameter_rules(keras_rules(file.model->layers, network));
  return model;
}

}  // namespace io

template <std::floating_point Scalar>
io::Loaded<Scalar> load_keras(const io::Source& from, const KerasOptions& options) {
  io::KerasFile file = io::read_keras_file(from, options.stateful);
  return io::keras_model_of<Scalar>(file, from.where());
}

template <std::floating_point Scalar>
io::Loaded<Scalar> load_keras(const KerasFolder& from, const KerasOptions& options) {
  const io::Where where(from.name);
  io::KerasFile file = io::read_keras_folder(from, where, options.stateful);
  return io::keras_model_of<Scalar>(file, where);
}

template <class Scalar>
void io::load_keras_network(const Source& from, Network<Scalar> network) {
  (void)network.parameters();
  // The weights of a stateful layer are those of any other.
  KerasFile file = read_keras_file(from, true);
  if (!file.model) {
    file.weights.require_no_models();
    return file.weights.give_to(network, keras_layers_of(network));
  }
  const auto& of_file = file.model->architecture.layers;
  const auto of_model = architecture_of(network).layers;
  require_same_layers(of_file, of_model, from.where());
  // Layers of training alone may be in one of the two, and have no weights.
  std::vector<std::size_t> places(of_file.size());
  for (std::size_t i = 0, at = 0; i < of_file.size(); ++i) {
    if (is_of_training(of_file[i])) continue;
    while (is_of_training(of_model[at])) ++at;
    places[i] = at++;
  }
  for_each_leaf(file.model->layers, [&](KerasLayer& layer, bool) {
    if (is_of_training(of_file[*layer.place])) {
      layer.place.reset();
    } else {
      layer.place = places[*layer.place];
    }
  });
  file.weights.give_to(network, file.model->layers);
}

}  // namespace strata::inline STRATA_RUNTIME
