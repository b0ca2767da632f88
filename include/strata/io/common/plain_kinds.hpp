#pragma once

#include <strata/contracts/any_layer.hpp>
#include <strata/io/common/layer_kind.hpp>
#include <strata/io/common/option_reader.hpp>
#include <strata/layers/attention_pooling.hpp>
#include <strata/layers/batch_normalization.hpp>
#include <strata/layers/conv1d.hpp>
#include <strata/layers/dense.hpp>
#include <strata/layers/dropout.hpp>
#include <strata/layers/embedding.hpp>
#include <strata/layers/gaussian_noise.hpp>
#include <strata/layers/layer_normalization.hpp>
#include <strata/layers/masking.hpp>
#include <strata/layers/max_over_steps.hpp>
#include <strata/layers/mean_over_steps.hpp>
#include <strata/layers/normalization.hpp>
#include <strata/layers/repeat_vector.hpp>
#include <strata/layers/rescaling.hpp>
#include <strata/layers/reshape.hpp>
#include <strata/target.hpp>

// The registry's entries of layers that are neither recurrent nor made of other layers, but for
// activations.

namespace strata::inline STRATA_RUNTIME::io {

struct AttentionPoolingKind : LayerKind {
  static constexpr const char* name = "AttentionPooling";
  static constexpr LayerSyntax syntax{.header = "attention_pooling.hpp",
                                      .type = "AttentionPooling",
                                      .type_arguments = {input_features, "units"}};

  template <class S>
  static AnyLayer<S> make(OptionReader& reader, const LayerMaker<S>&) {
    return AnyLayer<S>(AttentionPooling<S>(reader.size("units")));
  }
  static Index outputs(const auto& sizes) {
    sizes.require_matrix(sizes.features(), sizes.size("units"));
    return sizes.features();
  }
};

struct BatchNormalizationKind : LayerKind {
  static constexpr const char* name = "BatchNormalization";
  static constexpr LayerSyntax syntax{
      .header = "batch_normalization.hpp",
      .type = "BatchNormalization",
      .type_arguments = {input_features},
      .options = option_struct<BatchNormalizationOptions>("BatchNormalizationOptions")};

  template <class S>
  static AnyLayer<S> make(OptionReader& reader, const LayerMaker<S>&) {
    return AnyLayer<S>(BatchNormalization<S>(reader.all<BatchNormalizationOptions>()));
  }
  static Index outputs(const auto& sizes) { return sizes.require_vector(sizes.features()); }
};

struct Conv1DKind : LayerKind {
  static constexpr const char* name = "Conv1D";
  static constexpr LayerSyntax syntax{.header = "conv1d.hpp",
                                      .type = "Conv1D",
                                      .type_arguments = {input_features, "filters", "kernel_size"},
                                      .options = option_struct<Conv1DOptions>("Conv1DOptions")};

  template <class S>
  static AnyLayer<S> make(OptionReader& reader, const LayerMaker<S>&) {
    return AnyLayer<S>(
        Conv1D<S>(reader.size("filters"), reader.size("kernel_size"), reader.all<Conv1DOptions>()));
  }
  static Index outputs(const auto& sizes) {
    sizes.require_matrix(sizes.size("kernel_size"), sizes.features());
    return sizes.require_matrix(sizes.size("kernel_size") * sizes.features(),
                                sizes.size("filters"));
  }
};

struct DenseKind : LayerKind {
  static constexpr const char* name = "Dense";
  static constexpr LayerSyntax syntax{.header = "dense.hpp",
                                      .type = "Dense",
                                      .type_arguments = {input_features, "units"},
                                      .options = option_struct<DenseOptions>("DenseOptions")};

  template <class S>
  static AnyLayer<S> make(OptionReader& reader, const LayerMaker<S>&) {
    return AnyLayer<S>(Dense<S>(reader.size("units"), reader.all<DenseOptions>()));
  }
  static Index outputs(const auto& sizes) {
    return sizes.require_matrix(sizes.features(), sizes.size("units"));
  }
};

struct DropoutKind : LayerKind {
  static constexpr const char* name = "Dropout";
  static constexpr LayerSyntax syntax{.header = "dropout.hpp",
                                      .type = "Dropout",
                                      .arguments = {"rate"},
                                      .options = option_struct<DropoutOptions>("DropoutOptions")};

  template <class S>
  static AnyLayer<S> make(OptionReader& reader, const LayerMaker<S>&) {
    return AnyLayer<S>(Dropout<S>(reader.get<double>("rate"), reader.all<DropoutOptions>()));
  }
};

struct EmbeddingKind : LayerKind {
  static constexpr const char* name = "Embedding";
  static constexpr LayerSyntax syntax{
      .header = "embedding.hpp",
      .type = "Embedding",
      .type_arguments = {"vocabulary", "units"},
      .options = option_struct<EmbeddingOptions>("EmbeddingOptions")};

  template <class S>
  static AnyLayer<S> make(OptionReader& reader, const LayerMaker<S>&) {
    return AnyLayer<S>(Embedding<S>(reader.size("vocabulary"), reader.size("units"),
                                    reader.all<EmbeddingOptions>()));
  }
  static Index outputs(const auto& sizes) {
    return sizes.require_matrix(sizes.size("vocabulary"), sizes.size("units"));
  }
};

struct FlattenKind : LayerKind {
  static constexpr const char* name = "Flatten";
  static constexpr LayerSyntax syntax{.header = "reshape.hpp", .type = "Flatten"};

  template <class S>
  static AnyLayer<S> make(OptionReader&, const LayerMaker<S>&) {
    return AnyLayer<S>(Flatten<S>());
  }
};

struct GaussianNoiseKind : LayerKind {
  static constexpr const char* name = "GaussianNoise";
  static constexpr LayerSyntax syntax{
      .header = "gaussian_noise.hpp", .type = "GaussianNoise", .arguments = {"stddev"}};

  template <class S>
  static AnyLayer<S> make(OptionReader& reader, const LayerMaker<S>&) {
    return AnyLayer<S>(GaussianNoise<S>(reader.get<double>("stddev")));
  }
};

struct LastStepKind : LayerKind {
  static constexpr const char* name = "LastStep";
  static constexpr LayerSyntax syntax{.header = "reshape.hpp", .type = "LastStep"};

  template <class S>
  static AnyLayer<S> make(OptionReader&, const LayerMaker<S>&) {
    return AnyLayer<S>(LastStep<S>());
  }
};

struct LayerNormalizationKind : LayerKind {
  static constexpr const char* name = "LayerNormalization";
  static constexpr LayerSyntax syntax{
      .header = "layer_normalization.hpp",
      .type = "LayerNormalization",
      .type_arguments = {input_features},
      .options = option_struct<LayerNormalizationOptions>("LayerNormalizationOptions")};

  template <class S>
  static AnyLayer<S> make(OptionReader& reader, const LayerMaker<S>&) {
    return AnyLayer<S>(LayerNormalization<S>(reader.all<LayerNormalizationOptions>()));
  }
  static Index outputs(const auto& sizes) { return sizes.require_vector(sizes.features()); }
};

struct MaskingKind : LayerKind {
  static constexpr const char* name = "Masking";
  static constexpr LayerSyntax syntax{
      .header = "masking.hpp", .type = "Masking", .arguments = {"value"}};

  template <class S>
  static AnyLayer<S> make(OptionReader& reader, const LayerMaker<S>&) {
    return AnyLayer<S>(Masking<S>(reader.get<double>("value")));
  }
};

struct MaxOverStepsKind : LayerKind {
  static constexpr const char* name = "MaxOverSteps";
  static constexpr LayerSyntax syntax{.header = "max_over_steps.hpp", .type = "MaxOverSteps"};

  template <class S>
  static AnyLayer<S> make(OptionReader&, const LayerMaker<S>&) {
    return AnyLayer<S>(MaxOverSteps<S>());
  }
};

struct MeanOverStepsKind : LayerKind {
  static constexpr const char* name = "MeanOverSteps";
  static constexpr LayerSyntax syntax{.header = "mean_over_steps.hpp", .type = "MeanOverSteps"};

  template <class S>
  static AnyLayer<S> make(OptionReader&, const LayerMaker<S>&) {
    return AnyLayer<S>(MeanOverSteps<S>());
  }
};

struct NormalizationKind : LayerKind {
  static constexpr const char* name = "Normalization";
  static constexpr LayerSyntax syntax{
      .header = "normalization.hpp",
      .type = "Normalization",
      .type_arguments = {input_features},
      .options = option_struct<NormalizationOptions>("NormalizationOptions")};

  template <class S>
  static AnyLayer<S> make(OptionReader& reader, const LayerMaker<S>&) {
    return AnyLayer<S>(Normalization<S>(reader.all<NormalizationOptions>()));
  }
  static Index outputs(const auto& sizes) { return sizes.require_vector(sizes.features()); }
};

struct RepeatVectorKind : LayerKind {
  static constexpr const char* name = "RepeatVector";
  static constexpr LayerSyntax syntax{
      .header = "repeat_vector.hpp", .type = "RepeatVector", .arguments = {"n"}};

  template <class S>
  static AnyLayer<S> make(OptionReader& reader, const LayerMaker<S>&) {
    return AnyLayer<S>(RepeatVector<S>(reader.size("n")));
  }
};

struct RescalingKind : LayerKind {
  static constexpr const char* name = "Rescaling";
  static constexpr LayerSyntax syntax{
      .header = "rescaling.hpp",
      .type = "Rescaling",
      .type_arguments = {input_features},
      .options = option_struct<RescalingOptions>("RescalingOptions")};

  template <class S>
  static AnyLayer<S> make(OptionReader& reader, const LayerMaker<S>&) {
    return AnyLayer<S>(Rescaling<S>(reader.all<RescalingOptions>()));
  }
  static Index outputs(const auto& sizes) { return sizes.require_vector(sizes.features()); }
};

struct ReshapeKind : LayerKind {
  static constexpr const char* name = "Reshape";
  static constexpr LayerSyntax syntax{
      .header = "reshape.hpp", .type = "Reshape", .arguments = {"steps", "features"}};

  template <class S>
  static AnyLayer<S> make(OptionReader& reader, const LayerMaker<S>&) {
    return AnyLayer<S>(Reshape<S>(reader.size("steps"), reader.size("features")));
  }
};

}  // namespace strata::inline STRATA_RUNTIME::io
