#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <strata/contracts/description.hpp>
#include <strata/io/common/compare_layers.hpp>
#include <strata/io/common/json.hpp>
#include <strata/io/common/json_numbers.hpp>
#include <strata/io/common/numbers.hpp>
#include <strata/io/common/object_reader.hpp>
#include <strata/io/common/option_reader.hpp>
#include <strata/io/common/where.hpp>
#include <strata/io/keras/object.hpp>
#include <strata/io/keras/version.hpp>
#include <strata/target.hpp>
#include <strata/version.hpp>

namespace strata::inline STRATA_RUNTIME::io {

/// Reads the configs of Keras' layers into strata's descriptions. Each setting is used, or must
/// have the one value that strata has, or is listed as a setting that changes no output.
class KerasLayers {
 public:
  explicit KerasLayers(KerasVersion version) : version_(version) {}

  /// The description of a layer. `rank`, 2 or 3, is the rank of its input, and becomes the rank of
  /// its output. Throws FormatError on layers that strata does not have and on unknown settings.
  [[nodiscard]] LayerDescription read(const KerasObject& object, Index& rank,
                                      const Where& where) const {
    for (const Class& one : classes()) {
      if (object.class_name != one.name) continue;
      Config config(*object.config, where);
      read_common(config);
      LayerDescription description = (this->*one.read)(config, rank);
      config.finish();
      return description;
    }
    where.refuse("strata " + std::string(version_string) + " has no layer of this class");
  }

 private:
  using Config = ObjectReader;

  struct Class {
    std::string_view name;
    LayerDescription (KerasLayers::*read)(Config&, Index& rank) const;
  };

  [[nodiscard]] static std::span<const Class> classes() {
    static constexpr Class list[] = {
        {"Activation", &KerasLayers::activation},
        {"BatchNormalization", &KerasLayers::batch_normalization},
        {"Bidirectional", &KerasLayers::bidirectional},
        {"Dense", &KerasLayers::dense},
        {"Dropout", &KerasLayers::dropout},
        {"ELU", &KerasLayers::elu},
        {"Embedding", &KerasLayers::embedding},
        {"Flatten", &KerasLayers::flatten},
        {"GRU", &KerasLayers::gru},
        {"GaussianNoise", &KerasLayers::gaussian_noise},
        {"GlobalAveragePooling1D", &KerasLayers::global_average_pooling},
        {"LSTM", &KerasLayers::lstm},
        {"LayerNormalization", &KerasLayers::layer_normalization},
        {"Masking", &KerasLayers::masking},
        {"Normalization", &KerasLayers::adapted_normalization},
        {"ReLU", &KerasLayers::relu},
        {"RepeatVector", &KerasLayers::repeat_vector},
        {"Reshape", &KerasLayers::reshape},
        {"SimpleRNN", &KerasLayers::simple_rnn},
        {"Softmax", &KerasLayers::softmax},
        {"SpatialDropout1D", &KerasLayers::spatial_dropout},
        {"TimeDistributed", &KerasLayers::time_distributed}};
    return list;
  }

  [[nodiscard]] static Index size(Config& config, const char* key) {
    return config.integer(key, 1, OptionReader::max_size);
  }

  void add_activation(LayerDescription& description, Config& config, const char* key) const {
    description.add(key, read_activation(config, key, version_));
  }

  /// The weights come from the file, and penalties and constraints act in training alone.
  static void ignore_weight_rules(Config& config) {
    config.ignore({"kernel_initializer", "recurrent_initializer", "bias_initializer",
                   "kernel_regularizer", "recurrent_regularizer", "bias_regularizer",
                   "kernel_constraint", "recurrent_constraint", "bias_constraint"});
  }

  /// Throws FormatError unless the layer works along the last axis, that of the features.
  static void require_last_axis(Config& config, Index rank) {
    const Json* axis = config.find("axis");
    if (!axis) return;
    const Json& value = axis->is_array() && axis->size() == 1 ? (*axis)[0] : *axis;
    if (value != Json(-1) && value != Json(rank - 1)) {
      config.where("axis").expected("-1", axis->dump());
    }
  }

  // Recurrent layers.

  [[nodiscard]] LayerDescription recurrent(const char* kind, Config& config, Index& rank) const {
    LayerDescription description{kind};
    description.add("units", size(config, "units"));
    const bool sequences = config.get<bool>("return_sequences");
    description.add("return_sequences", sequences);
    add_activation(description, config, "activation");
    description.add("use_bias", config.get<bool>("use_bias"));
    description.add("dropout", config.get<double>("dropout"));
    description.add("recurrent_dropout", config.get<double>("recurrent_dropout"));
    description.add("go_backwards", config.get<bool>("go_backwards"));
    // Keras 2 writes this setting only where it is true.
    description.add("zero_output_for_mask", config.get<bool>("zero_output_for_mask", false));
    config.require("return_state", false);
    config.require("time_major", false);
    if (config.get<bool>("stateful", false)) {
      config.where("stateful")
          .refuse(
              "expected false, found true: in strata the state belongs to the caller; save the "
              "model with stateful=False and go on with predict(x, {.state = &state}) or a Stream");
    }
    // Three ways to compute the same outputs, and the seed of dropout in training.
    config.ignore({"unroll", "implementation", "use_cudnn", "seed"});
    ignore_weight_rules(config);
    rank = sequences ? 3 : 2;
    return description;
  }
  [[nodiscard]] LayerDescription lstm(Config& config, Index& rank) const {
    LayerDescription description = recurrent("LSTM", config, rank);
    add_activation(description, config, "recurrent_activation");
    description.add("unit_forget_bias", config.get<bool>("unit_forget_bias"));
    return description;
  }
  [[nodiscard]] LayerDescription gru(Config& config, Index& rank) const {
    const bool after = config.get<bool>("reset_after");
    LayerDescription description = recurrent(after ? "GRU" : "ResetBeforeGRU", config, rank);
    add_activation(description, config, "recurrent_activation");
    return description;
  }
  [[nodiscard]] LayerDescription simple_rnn(Config& config, Index& rank) const {
    return recurrent("SimpleRNN", config, rank);
  }

  // Layers of layers.

  [[nodiscard]] LayerDescription inner(Config& config, const char* key, Index& rank) const {
    const Json& json = config.raw(key);
    const KerasObject object = KerasObject::of(json, config.where(key));
    return read(object, rank, config.where(key).in(object.class_name));
  }

  [[nodiscard]] LayerDescription bidirectional(Config& config, Index& rank) const {
    LayerDescription description{"Bidirectional"};
    const Json& merge = config.raw("merge_mode");
    if (merge.is_null()) {
      config.where("merge_mode")
          .refuse(
              "expected concat, sum, mul or ave, found null: a chain of layers carries one output; "
              "save the model with concat and take split_directions of the output");
    }
    description.add("merge", read_string(merge, config.where("merge_mode")));
    const Index rank_before = rank;
    LayerDescription forward = inner(config, "layer", rank);
    require_recurrent(forward, config.where("layer"));
    // Bidirectional sets zero_output_for_mask of its layers itself, as Keras does.
    const OptionValue sequences = *forward.find("return_sequences");
    forward.option("zero_output_for_mask") = sequences;
    if (const Json* other = config.find("backward_layer"); other && !other->is_null()) {
      Index rank_backward = rank_before;
      const Where where = config.where("backward_layer");
      LayerDescription backward = inner(config, "backward_layer", rank_backward);
      require_recurrent(backward, where);
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

  static void require_recurrent(const LayerDescription& layer, const Where& where) {
    if (!layer.find("return_sequences")) {
      where.refuse("Bidirectional takes a recurrent layer, not " + layer.kind);
    }
  }

  [[nodiscard]] LayerDescription time_distributed(Config& config, Index& rank) const {
    Index inner_rank = rank - 1;
    LayerDescription description{"TimeDistributed"};
    description.layers = {inner(config, "layer", inner_rank)};
    rank = inner_rank + 1;
    return description;
  }

  // Layers of numbers.

  [[nodiscard]] LayerDescription dense(Config& config, Index&) const {
    LayerDescription description{"Dense"};
    description.add("units", size(config, "units"));
    add_activation(description, config, "activation");
    description.add("use_bias", config.get<bool>("use_bias"));
    config.require("quantization_config", nullptr);
    ignore_weight_rules(config);
    return description;
  }
  [[nodiscard]] LayerDescription embedding(Config& config, Index& rank) const {
    LayerDescription description{"Embedding"};
    description.add("vocabulary", size(config, "input_dim"));
    description.add("units", size(config, "output_dim"));
    description.add("mask_zero", config.get<bool>("mask_zero", false));
    config.require("quantization_config", nullptr);
    config.require("sparse", false);
    // Initializers and penalties as for other weights; the number of steps comes with the data.
    config.ignore({"embeddings_initializer", "embeddings_regularizer", "embeddings_constraint",
                   "input_length"});
    rank = 3;
    return description;
  }
  [[nodiscard]] LayerDescription normalization(const char* kind, Config& config, Index rank) const {
    LayerDescription description{kind};
    require_last_axis(config, rank);
    description.add("epsilon", config.get<double>("epsilon"));
    description.add("center", config.get<bool>("center"));
    description.add("scale", config.get<bool>("scale"));
    config.ignore({"beta_initializer", "gamma_initializer", "beta_regularizer", "gamma_regularizer",
                   "beta_constraint", "gamma_constraint"});
    return description;
  }
  [[nodiscard]] LayerDescription layer_normalization(Config& config, Index& rank) const {
    config.require("rms_scaling", false);
    return normalization("LayerNormalization", config, rank);
  }
  [[nodiscard]] LayerDescription batch_normalization(Config& config, Index& rank) const {
    LayerDescription description = normalization("BatchNormalization", config, rank);
    description.add("momentum", config.get<double>("momentum"));
    config.require("renorm", false);
    config.require("virtual_batch_size", nullptr);
    config.require("adjustment", nullptr);
    // Initial values, ways to compute, and two settings of renorm, which is off.
    config.ignore({"moving_mean_initializer", "moving_variance_initializer", "synchronized",
                   "fused", "renorm_clipping", "renorm_momentum"});
    return description;
  }
  [[nodiscard]] LayerDescription adapted_normalization(Config& config, Index& rank) const {
    LayerDescription description{"Normalization"};
    require_last_axis(config, rank);
    for (const char* const key : {"mean", "variance"}) {
      const Json* const given = config.find(key);
      if (!given || given->is_null()) continue;
      const Numbers numbers = numbers_of(*given, config.where(key));
      if (numbers.shape.size() > 1) config.where(key).expected("a list of numbers", "lists");
      description.add(key, numbers.values);
    }
    description.add("invert", config.get<bool>("invert", false));
    return description;
  }
  [[nodiscard]] LayerDescription masking(Config& config, Index&) const {
    return LayerDescription{"Masking"}.add("value", config.get<double>("mask_value"));
  }

  // Noise, which is added in training alone.

  [[nodiscard]] LayerDescription dropout(Config& config, Index&) const {
    LayerDescription description{"Dropout"};
    description.add("rate", config.get<double>("rate"));
    const Json* noise = config.find("noise_shape");
    if (noise && !noise->is_null()) {
      const bool for_all_steps = noise->is_array() && noise->size() == 3 && (*noise)[1] == Json(1);
      if (!for_all_steps) {
        config.where("noise_shape").expected("null or (B, 1, F)", noise->dump());
      }
      description.add("same_for_all_steps", true);
    }
    config.ignore({"seed"});
    return description;
  }
  [[nodiscard]] LayerDescription spatial_dropout(Config& config, Index&) const {
    config.ignore({"seed", "noise_shape"});
    return LayerDescription{"Dropout"}
        .add("rate", config.get<double>("rate"))
        .add("same_for_all_steps", true);
  }
  [[nodiscard]] LayerDescription gaussian_noise(Config& config, Index&) const {
    config.ignore({"seed"});
    return LayerDescription{"GaussianNoise"}.add("stddev", config.get<double>("stddev"));
  }

  // Activations.

  [[nodiscard]] LayerDescription activation(Config& config, Index&) const {
    LayerDescription description{"Activation"};
    add_activation(description, config, "activation");
    return description;
  }
  [[nodiscard]] LayerDescription relu(Config& config, Index&) const {
    config.require("max_value", nullptr);
    config.require("negative_slope", 0.0);
    config.require("threshold", 0.0);
    return LayerDescription{"Activation"}.add("activation", Activation::relu);
  }
  [[nodiscard]] LayerDescription elu(Config& config, Index&) const {
    config.require("alpha", 1.0);
    return LayerDescription{"Activation"}.add("activation", Activation::elu);
  }
  [[nodiscard]] LayerDescription softmax(Config& config, Index& rank) const {
    require_last_axis(config, rank);
    return LayerDescription{"Activation"}.add("activation", Activation::softmax);
  }

  // Shapes.

  [[nodiscard]] LayerDescription flatten(Config& config, Index& rank) const {
    config.require("data_format", "channels_last");
    rank = 2;
    return LayerDescription{"Flatten"};
  }
  [[nodiscard]] LayerDescription reshape(Config& config, Index& rank) const {
    const auto sizes = config.get<std::vector<Index>>("target_shape");
    if (sizes.size() != 2 || sizes[0] < 1 || sizes[1] < 1) {
      config.where("target_shape").expected("(steps, features) in numbers", sizes_text(sizes));
    }
    rank = 3;
    return LayerDescription{"Reshape"}.add("steps", sizes[0]).add("features", sizes[1]);
  }
  [[nodiscard]] LayerDescription repeat_vector(Config& config, Index& rank) const {
    rank = 3;
    return LayerDescription{"RepeatVector"}.add("n", size(config, "n"));
  }
  [[nodiscard]] LayerDescription global_average_pooling(Config& config, Index& rank) const {
    config.require("data_format", "channels_last");
    config.require("keepdims", false);
    rank = 2;
    return LayerDescription{"MeanOverSteps"};
  }

  KerasVersion version_;
};

}  // namespace strata::inline STRATA_RUNTIME::io
