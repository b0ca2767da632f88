#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <strata/contracts/description.hpp>
#include <strata/error.hpp>
#include <strata/io/common/json.hpp>
#include <strata/io/common/layers.hpp>
#include <strata/io/common/model_file.hpp>
#include <strata/io/common/object_reader.hpp>
#include <strata/io/common/where.hpp>
#include <strata/io/keras/context.hpp>
#include <strata/io/keras/graph.hpp>
#include <strata/io/keras/input.hpp>
#include <strata/io/keras/layer_tree.hpp>
#include <strata/io/keras/layers.hpp>
#include <strata/io/keras/object.hpp>
#include <strata/io/keras/operation.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME::io {

/// A Keras model as a chain of strata's layers.
struct KerasModel {
  Architecture architecture;
  /// Its layers as Keras has them, for the names of their weights.
  KerasLayer layers;
};

/// Reads the config of a Keras model: a Sequential, or a functional model whose layers are a chain,
/// with such models among their layers.
class KerasModelReader {
 public:
  explicit KerasModelReader(KerasContext context) : reader_(context) {}

  /// Throws FormatError, naming its place, on each setting or layer that strata does not have.
  [[nodiscard]] KerasModel read(const Json& json, const Where& where) && {
    const KerasObject object = KerasObject::of(json, where);
    if (!object.is_model()) {
      where.in(object.class_name)
          .expected("a Sequential or a functional model", in_quotes(object.class_name));
    }
    if (object.class_name == "Sequential") input_ = stated_input(json, where.in("Sequential"));
    KerasLayer tree{object.class_name, object.name, object.is_trainable(where)};
    KerasFlow flow;
    read_model(object, flow, tree, where.in(object.class_name));
    return {{std::move(input_), std::move(layers_)}, std::move(tree)};
  }

 private:
  /// Appends the layers of a model, and their tree.
  void read_model(const KerasObject& object, KerasFlow& flow, KerasLayer& tree,
                  const Where& where) {
    // Keras 2.0 to 2.2.2 writes the layers of a Sequential alone, without a name.
    if (object.class_name == "Sequential" && object.config->is_array()) {
      return read_row(*object.config, flow, tree, where);
    }
    ObjectReader config(*object.config, where);
    read_common(config);
    const Json& layers = read_list(config.raw("layers"), where.in("layers"));
    if (object.class_name == "Sequential") {
      config.ignore({"build_input_shape"});
      config.finish();
      return read_row(layers, flow, tree, where);
    }
    if (layers.empty()) where.refuse("the model has no layers");
    const KerasGraph graph(config, layers, where);
    config.finish();
    tree.layers.resize(layers.size());
    read_steps(graph.steps(), layers, flow, tree, where);
  }

  /// The layers of a Sequential.
  void read_row(const Json& layers, KerasFlow& flow, KerasLayer& tree, const Where& where) {
    tree.layers.resize(layers.size());
    for (std::size_t i = 0; i < layers.size(); ++i) {
      read_layer(layers[i], i == 0, flow, tree.layers[i], where);
      if (!flow.has_states) continue;
      where.in("layer " + in_quotes(tree.layers[i].name))
          .in("return_state")
          .refuse(
              "expected false, found true: a Sequential would pass on the states too; in strata "
              "they are set and read by predict(x, {.state = &state})");
    }
  }

  /// The layers of a functional model, or of a branch of it.
  void read_steps(const std::vector<KerasStep>& steps, const Json& layers, KerasFlow& flow,
                  KerasLayer& tree, const Where& where) {
    for (const KerasStep& step : steps) {
      const bool is_first = &step == &steps.front();
      if (step.branch.empty()) {
        read_layer(layers[step.layer], is_first, flow, tree.layers[step.layer], where);
      } else {
        read_sum(step, layers, flow, tree, where);
      }
    }
  }

  /// An Add of a branch and its input.
  void read_sum(const KerasStep& step, const Json& layers, KerasFlow& flow, KerasLayer& tree,
                const Where& where) {
    const KerasObject sum = KerasObject::of(layers[step.layer], where);
    const Where here = where.in("layer " + in_quotes(sum.name));
    const bool is_operator = KerasOperation::is_one(layers[step.layer]);
    if (is_operator && flow.masked) {
      here.refuse(
          "the operator + passes no mask on, and strata's sum does; write keras.layers.Add()([x, "
          "y])");
    }
    if (!is_operator) {
      ObjectReader config(*sum.config, here);
      read_common(config);
      config.finish();
    }
    tree.layers[step.layer].class_name = sum.class_name;
    tree.layers[step.layer].name = sum.name;

    const std::size_t begin = layers_.size();
    KerasFlow branch = flow;
    read_steps(step.branch, layers, branch, tree, where);
    if (branch.rank != flow.rank || branch.masked != flow.masked) {
      here.refuse("adds a branch to its input that changes the rank or the mask");
    }
    // Keras takes the mask of either.
    if (branch.mask_ends_at.empty()) flow.mask_ends_at.clear();
    if (layers_.size() == begin) here.refuse("adds its input to a branch without layers");
    if (layers_.size() - begin > 1) join_from(begin, step.branch, tree);
    layers_.back() = LayerDescription{"Residual"}.add_layer(std::move(layers_.back()));
  }

  /// Makes one Chain of the layers from `begin` on, which are those of a branch.
  void join_from(std::size_t begin, const std::vector<KerasStep>& branch, KerasLayer& tree) {
    LayerDescription chain{"Chain"};
    for (std::size_t i = begin; i < layers_.size(); ++i) chain.add_layer(std::move(layers_[i]));
    layers_.resize(begin);
    layers_.push_back(std::move(chain));
    move_into_chain(begin, branch, tree);
  }
  static void move_into_chain(std::size_t begin, const std::vector<KerasStep>& branch,
                              KerasLayer& tree) {
    for (const KerasStep& step : branch) {
      for_each_leaf(tree.layers[step.layer], [&](KerasLayer& layer, bool) {
        layer.prefix = std::to_string(*layer.place - begin) + "." + layer.prefix;
        layer.place = begin;
      });
      move_into_chain(begin, step.branch, tree);
    }
  }

  void read_layer(const Json& json, bool is_first, KerasFlow& flow, KerasLayer& tree,
                  const Where& where) {
    const std::size_t i = layers_.size();
    const KerasObject object = KerasObject::of(json, where.in("layer " + std::to_string(i)));
    const Where here = where.in("layer " + std::to_string(i) + " (" + object.class_name + ", " +
                                in_quotes(object.name) + ")");
    tree.class_name = object.class_name;
    tree.name = object.name;
    tree.is_trainable = object.is_trainable(here);
    if (object.class_name == "InputLayer") {
      if (!is_first) here.refuse("is not at the beginning");
      const Input input = read_input_layer(*object.config, here);
      if (flow.rank == 0) input_ = input;
    }
    if (!input_) {
      here.refuse(
          "the shape of the model's input is not known: build the model before it is saved");
    }
    if (flow.rank == 0) flow.rank = input_->shape().rank();
    if (object.class_name == "InputLayer") return;
    if (object.is_model()) return read_model(object, flow, tree, here);
    if (object.class_name == "TimeDistributed" && read_model_of_steps(object, flow, tree, here)) {
      return;
    }
    if (object.class_name == "Reshape") flow.shape = shape_before(flow, here);
    LayerList layers;
    if (KerasOperation::is_one(json)) {
      layers = {reader_.read_operation(json, object, flow, here)};
    } else {
      layers = reader_.read(object, flow, here);
    }
    if (layers.empty()) return;
    tree.place = i;
    tree.description = layers.front();
    tree.frozen_parts = frozen_parts(object, here);
    for (LayerDescription& layer : layers) layers_.push_back(std::move(layer));
  }

  /// The shape of what comes to the next layer, as far as it is known.
  [[nodiscard]] Shape shape_before(const KerasFlow& flow, const Where& where) const {
    if (flow.is_of_one_step) return {};
    Shape shape = input_->shape();
    try {
      for (const LayerDescription& layer : layers_) shape = shape_behind(layer, shape, where);
    } catch (const ShapeError& error) {
      where.refuse(error.what());
    }
    return shape;
  }

  [[nodiscard]] static Shape shape_behind(const LayerDescription& layer, Shape shape,
                                          const Where& where) {
    if (layer.kind == "Residual") return shape;
    if (layer.kind == "Chain") {
      for (const LayerDescription& one : layer.layers) shape = shape_behind(one, shape, where);
      return shape;
    }
    if (layer.kind == "TimeDistributed") {
      const Shape step = shape_behind(layer.layers[0], {shape[0], shape.back()}, where);
      return {shape[0], shape[1], step.back()};
    }
    // To make this layer would allocate its table.
    if (layer.kind == "Embedding") return {shape[0], shape[1], *layer.find<Index>("units")};
    return LayerMaker<float>().make(layer, where).output_shape(shape);
  }

  /// TimeDistributed around a model: each layer of the model in a TimeDistributed of its own.
  /// Returns false where there is a single layer in it.
  bool read_model_of_steps(const KerasObject& object, KerasFlow& flow, KerasLayer& tree,
                           const Where& where) {
    if (!object.config->is_object() || !object.config->contains("layer")) return false;
    const KerasObject inner = KerasObject::of((*object.config)["layer"], where.in("layer"));
    if (!inner.is_model()) return false;
    ObjectReader config(*object.config, where);
    read_common(config);
    (void)config.raw("layer");
    config.finish();
    const std::size_t begin = layers_.size();
    KerasFlow each_step = flow.of_one_step();
    KerasLayer model{inner.class_name, inner.name, inner.is_trainable(where)};
    read_model(inner, each_step, model, where.in("layer"));
    flow.rank = each_step.rank + 1;
    flow.has_states = false;
    for (std::size_t i = begin; i < layers_.size(); ++i) {
      layers_[i] = LayerDescription{"TimeDistributed"}.add_layer(std::move(layers_[i]));
    }
    tree.layers = std::move(model.layers);
    tree.is_trainable = tree.is_trainable && model.is_trainable;
    tree.inner = "/layer";
    return true;
  }

  /// The parts of a Bidirectional whose layer is not trained, or all of a TimeDistributed.
  [[nodiscard]] static std::vector<std::string> frozen_parts(const KerasObject& object,
                                                             const Where& where) {
    const auto is_trained = [&](const char* key) {
      if (!object.config->contains(key) || !(*object.config)[key].is_object()) return true;
      return KerasObject::of((*object.config)[key], where.in(key)).is_trainable(where.in(key));
    };
    std::vector<std::string> parts;
    if (object.class_name == "TimeDistributed" && !is_trained("layer")) parts.emplace_back();
    if (object.class_name == "Bidirectional") {
      const bool has_own = object.config->contains("backward_layer") &&
                           (*object.config)["backward_layer"].is_object();
      if (!is_trained("layer")) parts.emplace_back("forward");
      if (!is_trained(has_own ? "backward_layer" : "layer")) parts.emplace_back("backward");
    }
    return parts;
  }

  KerasLayers reader_;
  std::optional<Input> input_;
  std::vector<LayerDescription> layers_;
};

/// The model in the JSON that Keras writes for one. Throws FormatError where the text is not JSON,
/// and where KerasModelReader::read does.
[[nodiscard]] inline KerasModel keras_model(std::string_view text, const KerasContext& context,
                                            const Where& where) {
  return KerasModelReader(context).read(parse_json(text, where), where);
}

/// The layers and the input of that model.
[[nodiscard]] inline Architecture keras_architecture(std::string_view text,
                                                     const KerasContext& context,
                                                     const Where& where) {
  return keras_model(text, context, where).architecture;
}

}  // namespace strata::inline STRATA_RUNTIME::io
