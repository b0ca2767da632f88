#pragma once

#include <strata/activation.hpp>
#include <strata/contracts/any_layer.hpp>
#include <strata/io/common/layer_kind.hpp>
#include <strata/io/common/option_reader.hpp>
#include <strata/layers/activate.hpp>
#include <strata/layers/elu.hpp>
#include <strata/layers/prelu.hpp>
#include <strata/layers/relu.hpp>
#include <strata/target.hpp>

// The registry's entries of layers that are an activation.

namespace strata::inline STRATA_RUNTIME::io {

struct ActivationKind : LayerKind {
  static constexpr const char* name = "Activation";
  static constexpr LayerSyntax syntax{
      .header = "activate.hpp", .type = "Activate", .arguments = {"activation"}};

  template <class S>
  static AnyLayer<S> make(OptionReader& reader, const LayerMaker<S>&) {
    return AnyLayer<S>(Activate<S>(reader.get<Activation>("activation")));
  }
};

struct ELUKind : LayerKind {
  static constexpr const char* name = "ELU";
  static constexpr LayerSyntax syntax{
      .header = "elu.hpp", .type = "ELU", .options = option_struct<ELUOptions>("ELUOptions")};

  template <class S>
  static AnyLayer<S> make(OptionReader& reader, const LayerMaker<S>&) {
    return AnyLayer<S>(ELU<S>(reader.all<ELUOptions>()));
  }
};

struct PReLUKind : LayerKind {
  static constexpr const char* name = "PReLU";
  static constexpr LayerSyntax syntax{.header = "prelu.hpp",
                                      .type = "PReLU",
                                      .type_arguments = {input_features},
                                      .options = option_struct<PReLUOptions>("PReLUOptions")};

  template <class S>
  static AnyLayer<S> make(OptionReader& reader, const LayerMaker<S>&) {
    return AnyLayer<S>(PReLU<S>(reader.all<PReLUOptions>()));
  }
  static Index outputs(const auto& sizes) { return sizes.require_vector(sizes.features()); }
};

struct ReLUKind : LayerKind {
  static constexpr const char* name = "ReLU";
  static constexpr LayerSyntax syntax{
      .header = "relu.hpp", .type = "ReLU", .options = option_struct<ReLUOptions>("ReLUOptions")};

  template <class S>
  static AnyLayer<S> make(OptionReader& reader, const LayerMaker<S>&) {
    return AnyLayer<S>(ReLU<S>(reader.all<ReLUOptions>()));
  }
};

}  // namespace strata::inline STRATA_RUNTIME::io
