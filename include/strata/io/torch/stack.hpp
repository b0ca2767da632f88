#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <strata/contracts/any_layer.hpp>
#include <strata/contracts/description.hpp>
#include <strata/error.hpp>
#include <strata/io/common/chain_of.hpp>
#include <strata/io/common/erased_layer.hpp>
#include <strata/io/common/imported.hpp>
#include <strata/io/common/where.hpp>
#include <strata/io/torch/chain.hpp>
#include <strata/io/torch/layers.hpp>
#include <strata/io/torch/module.hpp>
#include <strata/io/torch/options.hpp>
#include <strata/layers/activate.hpp>
#include <strata/layers/conv1d.hpp>
#include <strata/layers/dropout.hpp>
#include <strata/layers/elu.hpp>
#include <strata/layers/input.hpp>
#include <strata/layers/max_over_steps.hpp>
#include <strata/layers/mean_over_steps.hpp>
#include <strata/layers/relu.hpp>
#include <strata/layers/reshape.hpp>
#include <strata/layers/residual.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME::io {

/// A Residual around a layer that takes and returns data of the given kinds.
template <Accepts takes, Returns gives, class S>
[[nodiscard]] AnyLayer<S> residual_of(AnyLayer<S> layer) {
  return AnyLayer<S>(Residual(ErasedLayer<S, takes, gives, false>(std::move(layer))));
}
template <Accepts, Returns, class S>
[[nodiscard]] FileLayer<S> residual_of(FileLayer<S> layer) {
  layer.description = LayerDescription("Residual").add_layer(std::move(layer.description));
  return layer;
}

/// Makes the layers of a chain of modules.
template <class Made>
class TorchStack {
  using S = ScalarOf<Made>;

 public:
  /// Throws FormatError, naming the entry of `.modules`, when an entry cannot run at its place: a
  /// function that needs steps after the last step was taken, a residual of other outputs than
  /// inputs, a function before an embedding.
  TorchStack(TorchLayers<Made>& make, const TorchChain& chain, const Where& where)
      : make_(&make), where_(&where) {
    for (const TorchLink& link : chain.links) {
      for (const auto& function : link.before) add(function, &link.module);
      add(link);
    }
    for (const auto& function : chain.after) add(function, nullptr);
  }

  [[nodiscard]] std::vector<Made> take() && { return std::move(layers_); }

 private:
  [[nodiscard]] Where at(const std::string& entry) const {
    return where_->in(".modules: " + entry);
  }

  /// Adds the layer of a function. `next` is the module right after it; null at the end of the
  /// chain.
  void add(const PyTorchFunction& function, const TorchModule* next) {
    const auto* activation = std::get_if<Activation>(&function);
    if (activation && *activation == Activation::linear) return;
    if (next && next->kind == TorchModule::Kind::Embedding) {
      at(code_text(function))
          .refuse("cannot run before " + next->text() + ", which takes ids" +
                  (next->may_be_linear ? "; if it is an nn.Linear, its entry is PyTorchLinear{" +
                                             literal_text(next->name) + "}"
                                       : ""));
    }
    if (activation) {
      layers_.emplace_back(Activate<S>(*activation));
    } else if (const auto* relu = std::get_if<ReLUOptions>(&function)) {
      layers_.emplace_back(ReLU<S>(*relu));
    } else if (const auto* elu = std::get_if<ELUOptions>(&function)) {
      layers_.emplace_back(ELU<S>(*elu));
    } else if (const auto* dropout = std::get_if<TorchDropout>(&function)) {
      layers_.emplace_back(Dropout<S>(dropout->rate, {dropout->same_for_all_steps}));
    } else {
      if (!without_steps_.empty()) {
        at(code_text(function)).refuse("there are no steps left after " + without_steps_);
      }
      if (std::holds_alternative<TorchLastStep>(function)) {
        layers_.emplace_back(LastStep<S>());
      } else if (std::holds_alternative<TorchMeanOverSteps>(function)) {
        layers_.emplace_back(MeanOverSteps<S>());
      } else {
        layers_.emplace_back(MaxOverSteps<S>());
      }
      without_steps_ = code_text(function);
    }
  }

  void add(const TorchLink& link) {
    const TorchModule& module = link.module;
    if (link.residual) require_residual(link);
    if (module.kind == TorchModule::Kind::Linear) {
      Made layer = make_->linear(module, link.activation.value_or(Activation::linear));
      layers_.push_back(link.residual ? residual_of<Accepts::any, Returns::same>(std::move(layer))
                                      : std::move(layer));
      return;
    }
    if (module.kind == TorchModule::Kind::Conv1d) {
      require_steps(link);
      Conv1DOptions options = link.convolution.value_or(Conv1DOptions{});
      options.activation = link.activation.value_or(Activation::linear);
      layers_.push_back(make_->convolution(module, options));
      return;
    }
    if (module.keeps_features()) {
      Made layer = module.is_normalization() ? make_->normalization(module) : make_->prelu(module);
      layers_.push_back(link.residual ? residual_of<Accepts::any, Returns::same>(std::move(layer))
                                      : std::move(layer));
    }
    if (module.kind == TorchModule::Kind::Embedding) layers_.push_back(make_->embedding(module));
    if (module.is_recurrent()) add_recurrent(link);
    if (link.activation && *link.activation != Activation::linear) {
      layers_.emplace_back(Activate<S>(*link.activation));
    }
  }

  void require_steps(const TorchLink& link) const {
    if (without_steps_.empty()) return;
    at(code_text(link))
        .refuse("takes sequences, but there are no steps left after " + without_steps_);
  }

  void add_recurrent(const TorchLink& link) {
    const TorchModule& module = link.module;
    require_steps(link);
    const bool ends = link.output != PyTorchOutput::sequences;
    // Bidirectional without return_sequences returns last_state, and a residual needs all steps. In
    // both cases the last step is taken by a layer of its own.
    const bool apart =
        link.output == PyTorchOutput::last_step && (module.bidirectional || link.residual);
    std::vector<Made> made;
    for (int layer = 0; layer < module.layers; ++layer) {
      made.push_back(make_->recurrent(module, layer, layer < module.layers - 1 || !ends || apart));
    }
    if (link.residual) {
      layers_.push_back(
          residual_of<Accepts::sequences, Returns::sequence>(one_of_sequences(std::move(made))));
    } else {
      for (Made& one : made) layers_.push_back(std::move(one));
    }
    if (apart) layers_.emplace_back(LastStep<S>());
    if (ends) without_steps_ = code_text(link) + ", of which the last is taken";
  }

  void require_residual(const TorchLink& link) const {
    const TorchModule& module = link.module;
    const Where here = at(code_text(link));
    if (module.kind == TorchModule::Kind::Embedding || module.inputs != module.outputs()) {
      here.refuse("adds the input to the output, which must be as many; it is " + module.text());
    }
    if (module.kind == TorchModule::Kind::Linear) return;
    if (module.kind == TorchModule::Kind::Conv1d) here.refuse("a sum around it is not read");
    if (link.activation && *link.activation != Activation::linear) {
      here.refuse("an activation between " + module.class_name() +
                  " and the sum is not read; after the sum it is an entry of its own");
    }
    if (link.output == PyTorchOutput::last_state) {
      here.refuse(".output = PyTorchOutput::last_state is not that of a sum; take last_step");
    }
  }

  TorchLayers<Made>* make_;
  const Where* where_;
  std::vector<Made> layers_;
  /// The entry that left one step of the sequence, or the mean, for messages; empty as long as the
  /// data are sequences.
  std::string without_steps_;
};

/// The input of the chain: (T,) for ids, (T, F) if a module or function reads sequences, else (F,).
[[nodiscard]] inline Input torch_input(const TorchChain& chain) {
  const TorchModule& first = chain.links.front().module;
  if (first.kind == TorchModule::Kind::Embedding) return Input(Dynamic);
  const auto takes_steps = [](const PyTorchFunction& function) {
    return std::holds_alternative<TorchLastStep>(function) ||
           std::holds_alternative<TorchMeanOverSteps>(function) ||
           std::holds_alternative<TorchMaxOverSteps>(function);
  };
  bool steps = std::any_of(chain.after.begin(), chain.after.end(), takes_steps);
  for (const TorchLink& link : chain.links) {
    steps = steps || link.module.is_recurrent() || link.module.kind == TorchModule::Kind::Conv1d ||
            std::any_of(link.before.begin(), link.before.end(), takes_steps);
  }
  return steps ? Input(Dynamic, first.inputs) : Input(first.inputs);
}

}  // namespace strata::inline STRATA_RUNTIME::io
