#pragma once

#include <string>
#include <utility>
#include <vector>

#include <strata/contracts/description.hpp>
#include <strata/io/common/json.hpp>
#include <strata/io/common/object_reader.hpp>
#include <strata/io/common/where.hpp>
#include <strata/io/keras/activation.hpp>
#include <strata/io/keras/context.hpp>
#include <strata/io/keras/layer_settings.hpp>
#include <strata/io/keras/numbers.hpp>
#include <strata/layers/reshape.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

// The configs of Keras' layers that are neither recurrent nor made of other layers. A layer of
// Keras is a list of strata's: the first has the weights, and an activation with settings is a
// layer behind it.

namespace strata::inline STRATA_RUNTIME::io {

using LayerList = std::vector<LayerDescription>;

/// The layer with its activation: one layer, or two where no name stands for the activation.
[[nodiscard]] inline LayerList with_activation(LayerDescription description, ObjectReader& config,
                                               const KerasContext& context) {
  KerasActivation activation = read_activation(config, "activation", context.version);
  description.add("activation", std::move(activation.name));
  LayerList layers{std::move(description)};
  if (activation.layer) layers.push_back(std::move(*activation.layer));
  return layers;
}

// Layers with weights.

/// What quantize and enable_lora of Keras leave in the config. Keras adds the matrices of LoRA to
/// the weights when it saves them.
inline void read_fine_tuning(ObjectReader& config) {
  config.require("quantization_config", nullptr);
  config.ignore({"lora_rank", "lora_alpha"});
}

[[nodiscard]] inline LayerList read_dense(ObjectReader& config, KerasFlow&,
                                          const KerasContext& context) {
  LayerDescription description{"Dense"};
  description.add("units", keras_size(config, "units"));
  description.add("use_bias", config.get<bool>("use_bias"));
  read_fine_tuning(config);
  ignore_weight_rules(config);
  return with_activation(std::move(description), config, context);
}

/// The number of a setting that is a number or a list of it, as Conv1D has.
[[nodiscard]] inline Index read_size_of_one_axis(ObjectReader& config, const char* key,
                                                 Index fallback) {
  const Json* found = config.find(key);
  if (!found) return fallback;
  if (found->is_array() && found->size() == 1) found = &(*found)[0];
  return read_integer(*found, config.where(key), 1, OptionReader::max_size);
}

[[nodiscard]] inline LayerList read_conv1d(ObjectReader& config, KerasFlow& flow,
                                           const KerasContext& context) {
  refuse_mask(config, flow.masked, "it reads masked steps too and passes no mask on");
  LayerDescription description{"Conv1D"};
  description.add("filters", keras_size(config, "filters"));
  const Index kernel_size = read_size_of_one_axis(config, "kernel_size", 1);
  description.add("kernel_size", kernel_size);
  if (read_size_of_one_axis(config, "strides", 1) != 1) {
    config.where("strides").expected("1", config.raw("strides").dump());
  }
  std::string padding = config.get<std::string>("padding");
  // A kernel of one step needs no padding.
  if (kernel_size == 1 && padding == "same") padding = "valid";
  if (padding != "causal" && padding != "valid") {
    config.where("padding").expected("causal or valid", in_quotes(padding));
  }
  description.add("padding", padding);
  description.add("dilation_rate", read_size_of_one_axis(config, "dilation_rate", 1));
  description.add("use_bias", config.get<bool>("use_bias"));
  config.require("data_format", "channels_last");
  config.require("groups", 1);
  read_fine_tuning(config);
  ignore_weight_rules(config);
  flow.rank = 3;
  return with_activation(std::move(description), config, context);
}

[[nodiscard]] inline LayerList read_embedding(ObjectReader& config, KerasFlow& flow,
                                              const KerasContext&) {
  LayerDescription description{"Embedding"};
  description.add("vocabulary", keras_size(config, "input_dim"));
  description.add("units", keras_size(config, "output_dim"));
  const bool makes_mask = config.get<bool>("mask_zero", false);
  description.add("mask_zero", makes_mask);
  read_fine_tuning(config);
  config.require("sparse", false);
  // Initializers and penalties as for other weights; the number of steps comes with the data.
  config.ignore({"embeddings_initializer", "embeddings_regularizer", "embeddings_constraint",
                 "input_length"});
  flow.rank = 3;
  flow.masked = makes_mask;
  flow.mask_ends_at.clear();
  return {description};
}

[[nodiscard]] inline LayerDescription read_normalization(const char* kind, ObjectReader& config,
                                                         Index rank) {
  LayerDescription description{kind};
  require_last_axis(config, rank);
  description.add("epsilon", config.get<double>("epsilon"));
  description.add("center", config.get<bool>("center"));
  description.add("scale", config.get<bool>("scale"));
  config.ignore({"beta_initializer", "gamma_initializer", "beta_regularizer", "gamma_regularizer",
                 "beta_constraint", "gamma_constraint"});
  return description;
}

[[nodiscard]] inline LayerList read_layer_normalization(ObjectReader& config, KerasFlow& flow,
                                                        const KerasContext&) {
  config.require("rms_scaling", false);
  return {read_normalization("LayerNormalization", config, flow.rank)};
}

[[nodiscard]] inline LayerList read_batch_normalization(ObjectReader& config, KerasFlow& flow,
                                                        const KerasContext&) {
  LayerDescription description = read_normalization("BatchNormalization", config, flow.rank);
  description.add("momentum", config.get<double>("momentum"));
  config.require("renorm", false);
  config.require("virtual_batch_size", nullptr);
  config.require("adjustment", nullptr);
  // Initial values, ways to compute, and two settings of renorm, which is off.
  config.ignore({"moving_mean_initializer", "moving_variance_initializer", "synchronized", "fused",
                 "renorm_clipping", "renorm_momentum"});
  return {description};
}

[[nodiscard]] inline LayerList read_adapted_normalization(ObjectReader& config, KerasFlow& flow,
                                                          const KerasContext&) {
  LayerDescription description{"Normalization"};
  // Without an axis one mean and one variance are those of all features.
  const Json* const axis = config.find("axis");
  const bool is_of_all = axis && (axis->is_null() || (axis->is_array() && axis->empty()));
  if (!is_of_all) require_last_axis(config, flow.rank);
  for (const char* const key : {"mean", "variance"}) {
    const Json* const given = config.find(key);
    if (!given || given->is_null()) continue;
    description.add(key, numbers_for_features(*given, config.where(key)));
  }
  description.add("invert", config.get<bool>("invert", false));
  return {description};
}

[[nodiscard]] inline LayerList read_rescaling(ObjectReader& config, KerasFlow&,
                                              const KerasContext&) {
  LayerDescription description{"Rescaling"};
  for (const char* const key : {"scale", "offset"}) {
    const Json* const given = config.find(key);
    if (given) description.add(key, numbers_for_features(*given, config.where(key)));
  }
  return {description};
}

[[nodiscard]] inline LayerList read_prelu(ObjectReader& config, KerasFlow&, const KerasContext&) {
  // The sizes of the weights tell which axes share them.
  config.ignore({"alpha_initializer", "alpha_regularizer", "alpha_constraint", "shared_axes"});
  return {LayerDescription{"PReLU"}};
}

[[nodiscard]] inline LayerList read_masking(ObjectReader& config, KerasFlow& flow,
                                            const KerasContext&) {
  flow.masked = true;
  flow.mask_ends_at.clear();
  return {LayerDescription{"Masking"}.add("value", keras_number(config, "mask_value", 0))};
}

// Noise, which is added in training alone.

[[nodiscard]] inline LayerList read_dropout(ObjectReader& config, KerasFlow&, const KerasContext&) {
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
  return {description};
}

[[nodiscard]] inline LayerList read_spatial_dropout(ObjectReader& config, KerasFlow&,
                                                    const KerasContext&) {
  config.ignore({"seed", "noise_shape"});
  return {LayerDescription{"Dropout"}
              .add("rate", config.get<double>("rate"))
              .add("same_for_all_steps", true)};
}

[[nodiscard]] inline LayerList read_gaussian_noise(ObjectReader& config, KerasFlow&,
                                                   const KerasContext&) {
  config.ignore({"seed"});
  return {LayerDescription{"GaussianNoise"}.add("stddev", config.get<double>("stddev"))};
}

[[nodiscard]] inline LayerList read_noise(ObjectReader& config, KerasFlow&, const KerasContext&) {
  // strata has no such noise; in prediction there is none.
  config.ignore({"rate", "seed", "noise_shape"});
  return {};
}

// Layers that pass their input on.

[[nodiscard]] inline LayerList read_identity(ObjectReader&, KerasFlow&, const KerasContext&) {
  return {};
}

[[nodiscard]] inline LayerList read_activity_regularization(ObjectReader& config, KerasFlow&,
                                                            const KerasContext&) {
  config.ignore({"l1", "l2"});
  return {};
}

// Shapes.

[[nodiscard]] inline LayerList read_softmax(ObjectReader& config, KerasFlow& flow,
                                            const KerasContext&) {
  require_last_axis(config, flow.rank);
  // Keras gives the mask to a Softmax within a TimeDistributed too.
  const bool masked = flow.is_of_masked_steps || (flow.masked && flow.mask_ends_at.empty());
  refuse_mask(config, masked, "it takes the mask of steps for one of features");
  return {named_activation("softmax")};
}

[[nodiscard]] inline LayerList read_flatten(ObjectReader& config, KerasFlow& flow,
                                            const KerasContext&) {
  config.require("data_format", "channels_last");
  flow.rank = 2;
  flow.masked = false;
  return {LayerDescription{"Flatten"}};
}

/// Gives a size of -1 the value that the other size and the shape before the layer leave. Throws
/// FormatError where the shape is not known, or does not divide.
inline void complete_sizes(std::vector<Index>& sizes, const Shape& shape, const Where& where) {
  const std::size_t open = sizes[0] == -1 ? 0 : 1;
  const Index other = sizes[1 - open];
  if (sizes[open] != -1 || other < 1) return;
  const Index count = shape.rank() < 2 ? Index{Dynamic} : detail::sample_size(shape);
  if (count == Dynamic) {
    where.expected("(steps, features) in numbers, where the input has no fixed size",
                   sizes_text(sizes));
  }
  if (count % other != 0) {
    where.expected("sizes of " + std::to_string(count) + " numbers", sizes_text(sizes));
  }
  sizes[open] = count / other;
}

[[nodiscard]] inline LayerList read_reshape(ObjectReader& config, KerasFlow& flow,
                                            const KerasContext&) {
  auto sizes = config.get<std::vector<Index>>("target_shape");
  flow.masked = false;
  if (sizes.size() == 1) {
    // All numbers of a sample in one row, whether they are counted or not.
    flow.rank = 2;
    return {LayerDescription{"Flatten"}};
  }
  const Where where = config.where("target_shape");
  if (sizes.size() == 2) complete_sizes(sizes, flow.shape, where);
  if (sizes.size() != 2 || sizes[0] < 1 || sizes[1] < 1) {
    where.expected("(steps, features) in numbers", sizes_text(sizes));
  }
  flow.rank = 3;
  return {LayerDescription{"Reshape"}.add("steps", sizes[0]).add("features", sizes[1])};
}

[[nodiscard]] inline LayerList read_repeat_vector(ObjectReader& config, KerasFlow& flow,
                                                  const KerasContext&) {
  flow.rank = 3;
  return {LayerDescription{"RepeatVector"}.add("n", keras_size(config, "n"))};
}

[[nodiscard]] inline LayerList read_global_average(ObjectReader& config, KerasFlow& flow,
                                                   const KerasContext&) {
  config.require("data_format", "channels_last");
  config.require("keepdims", false);
  flow.rank = 2;
  flow.masked = false;
  return {LayerDescription{"MeanOverSteps"}};
}

[[nodiscard]] inline LayerList read_global_max(ObjectReader& config, KerasFlow& flow,
                                               const KerasContext&) {
  refuse_mask(config, flow.masked, "it takes the maximum of masked steps too");
  config.require("data_format", "channels_last");
  config.require("keepdims", false);
  flow.rank = 2;
  return {LayerDescription{"MaxOverSteps"}};
}

}  // namespace strata::inline STRATA_RUNTIME::io
