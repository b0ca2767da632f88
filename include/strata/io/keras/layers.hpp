#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <strata/contracts/description.hpp>
#include <strata/io/common/compare_layers.hpp>
#include <strata/io/common/json.hpp>
#include <strata/io/common/object_reader.hpp>
#include <strata/io/common/where.hpp>
#include <strata/io/keras/activation.hpp>
#include <strata/io/keras/context.hpp>
#include <strata/io/keras/object.hpp>
#include <strata/io/keras/operation.hpp>
#include <strata/io/keras/plain_layers.hpp>
#include <strata/io/keras/recurrent_layers.hpp>
#include <strata/target.hpp>
#include <strata/version.hpp>

namespace strata::inline STRATA_RUNTIME::io {

/// Reads the configs of Keras' layers into strata's descriptions. Each setting is used, or must
/// have the one value that strata has, or is listed as a setting that changes no output.
class KerasLayers {
 public:
  explicit KerasLayers(KerasContext context) : context_(context) {}

  /// The layers of strata that compute a layer of Keras; the first has its weights. `flow` is what
  /// comes to the layer, and becomes what it passes on. Throws FormatError on layers that strata
  /// does not have and on unknown settings.
  [[nodiscard]] LayerList read(const KerasObject& object, KerasFlow& flow,
                               const Where& where) const {
    flow.has_states = false;
    ObjectReader config(*object.config, where);
    read_common(config);
    if (uses_mask(object.class_name)) refuse_lost_mask(config, flow);
    LayerList layers = read_known(object.class_name, config, flow);
    config.finish();
    if (!passes_mask_on(object.class_name)) flow.lose_mask(in_quotes(object.name));
    if (!flow.masked) flow.mask_ends_at.clear();
    return layers;
  }

  /// The layer of strata that computes a function. Throws FormatError where there is none.
  [[nodiscard]] LayerDescription read_operation(const Json& json, const KerasObject& object,
                                                KerasFlow& flow, const Where& where) const {
    flow.has_states = false;
    LayerDescription layer = KerasOperation::of(json, where).layer(flow, context_.version, where);
    flow.lose_mask(in_quotes(object.name));
    return layer;
  }

 private:
  struct Recurrent {
    std::string_view name;
    LayerDescription (*read)(ObjectReader&, KerasFlow&, const KerasContext&);
  };
  struct Plain {
    std::string_view name;
    LayerList (*read)(ObjectReader&, KerasFlow&, const KerasContext&);
  };

  static constexpr Recurrent recurrent[] = {
      {"GRU", &read_gru}, {"LSTM", &read_lstm}, {"SimpleRNN", &read_simple_rnn}};
  static constexpr Plain plain[] = {{"ActivityRegularization", &read_activity_regularization},
                                    {"AlphaDropout", &read_noise},
                                    {"BatchNormalization", &read_batch_normalization},
                                    {"Conv1D", &read_conv1d},
                                    {"Dense", &read_dense},
                                    {"Dropout", &read_dropout},
                                    {"Embedding", &read_embedding},
                                    {"Flatten", &read_flatten},
                                    {"GaussianDropout", &read_noise},
                                    {"GaussianNoise", &read_gaussian_noise},
                                    {"GlobalAveragePooling1D", &read_global_average},
                                    {"GlobalMaxPooling1D", &read_global_max},
                                    {"Identity", &read_identity},
                                    {"LayerNormalization", &read_layer_normalization},
                                    {"Masking", &read_masking},
                                    {"Normalization", &read_adapted_normalization},
                                    {"PReLU", &read_prelu},
                                    {"RepeatVector", &read_repeat_vector},
                                    {"Rescaling", &read_rescaling},
                                    {"Reshape", &read_reshape},
                                    {"Softmax", &read_softmax},
                                    {"SpatialDropout1D", &read_spatial_dropout}};

  /// Whether the output of a layer depends on the mask, in Keras and in strata alike. The others
  /// that a mask changes are refused behind any mask.
  [[nodiscard]] static bool uses_mask(std::string_view name) {
    return name == "GRU" || name == "GlobalAveragePooling1D" || name == "LSTM" ||
           name == "SimpleRNN";
  }

  /// Whether Keras passes a mask on wherever strata does. In Keras 2 a layer does only if it says
  /// so, and these do not.
  [[nodiscard]] bool passes_mask_on(std::string_view name) const {
    return context_.version.major > 2 ||
           (name != "Identity" && name != "Normalization" && name != "Rescaling");
  }

  [[nodiscard]] LayerList read_known(const std::string& name, ObjectReader& config,
                                     KerasFlow& flow) const {
    for (const Plain& one : plain) {
      if (name == one.name) return one.read(config, flow, context_);
    }
    for (const Recurrent& one : recurrent) {
      if (name == one.name) return {one.read(config, flow, context_)};
    }
    if (name == "Bidirectional") return {bidirectional(config, flow)};
    if (name == "TimeDistributed") return time_distributed(config, flow);
    if (auto layer = read_activation_layer(name, config, context_.version)) return {*layer};
    config.where().refuse("strata " + std::string(version_string) + " has no layer of this class");
  }

  // Layers of layers.

  [[nodiscard]] LayerList inner(ObjectReader& config, const char* key, KerasFlow& flow) const {
    const Json& json = config.raw(key);
    const KerasObject object = KerasObject::of(json, config.where(key));
    return read(object, flow, config.where(key).in(object.class_name));
  }

  [[nodiscard]] LayerDescription recurrent_inner(ObjectReader& config, const char* key,
                                                 KerasFlow& flow) const {
    LayerList layers = inner(config, key, flow);
    if (layers.size() != 1 || !layers[0].find("return_sequences")) {
      config.where(key).refuse("Bidirectional takes a recurrent layer, not " +
                               (layers.empty() ? "one that does nothing" : layers[0].kind));
    }
    return std::move(layers[0]);
  }

  [[nodiscard]] LayerDescription bidirectional(ObjectReader& config, KerasFlow& flow) const {
    LayerDescription description{"Bidirectional"};
    const Json& merge = config.raw("merge_mode");
    if (merge.is_null()) {
      config.where("merge_mode")
          .refuse(
              "expected concat, sum, mul or ave, found null: a chain of layers carries one output; "
              "save the model with concat and take split_directions of the output");
    }
    description.add("merge", read_string(merge, config.where("merge_mode")));
    const Json* const constants = config.find("num_constants");
    if (constants && !constants->is_null()) config.require("num_constants", 0);
    KerasFlow backward_flow = flow;
    LayerDescription forward = recurrent_inner(config, "layer", flow);
    // Bidirectional sets zero_output_for_mask of its layers itself, as Keras does.
    const OptionValue sequences = *forward.find("return_sequences");
    forward.option("zero_output_for_mask") = sequences;
    if (const Json* other = config.find("backward_layer"); other && !other->is_null()) {
      const Where where = config.where("backward_layer");
      LayerDescription backward = recurrent_inner(config, "backward_layer", backward_flow);
      backward.option("zero_output_for_mask") = sequences;
      auto& direction = backward.option("go_backwards");
      const bool* const reads_backwards = direction.get_if<bool>();
      if (!reads_backwards || !*reads_backwards) {
        where.in("go_backwards").expected("true", "false");
      }
      direction = false;
      require_same_layer(backward, forward, where);
    }
    description.layers = {std::move(forward)};
    return description;
  }

  [[nodiscard]] LayerList time_distributed(ObjectReader& config, KerasFlow& flow) const {
    KerasFlow each_step = flow.of_one_step();
    LayerList layers;
    for (LayerDescription& layer : inner(config, "layer", each_step)) {
      layers.push_back(LayerDescription{"TimeDistributed"}.add_layer(std::move(layer)));
    }
    flow.rank = each_step.rank + 1;
    return layers;
  }

  KerasContext context_;
};

}  // namespace strata::inline STRATA_RUNTIME::io
