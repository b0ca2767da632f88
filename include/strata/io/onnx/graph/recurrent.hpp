#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <strata/activation.hpp>
#include <strata/base/sizes.hpp>
#include <strata/contracts/description.hpp>
#include <strata/io/common/numbers.hpp>
#include <strata/io/common/where.hpp>
#include <strata/io/onnx/graph/call.hpp>
#include <strata/io/onnx/graph/chain.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME::io {

/// The ONNX name of an activation, with the values of alpha and beta for which ONNX' function is
/// the one that strata and Keras have.
struct OnnxActivation {
  Activation activation;
  std::string_view name;
  std::optional<double> alpha = std::nullopt;
  std::optional<double> beta = std::nullopt;
};
inline constexpr OnnxActivation onnx_activations[] = {
    {Activation::tanh, "Tanh"},
    {Activation::sigmoid, "Sigmoid"},
    {Activation::relu, "Relu"},
    {Activation::softsign, "Softsign"},
    {Activation::softplus, "Softplus"},
    {Activation::elu, "Elu", 1.0},
    {Activation::hard_sigmoid, "HardSigmoid", 1.0 / 6, 0.5},
    {Activation::hard_sigmoid_fifth, "HardSigmoid", 0.2, 0.5},
    {Activation::linear, "Affine", 1.0, 0.0}};

/// Whether a setting in a file is the wanted one, up to the rounding of the file's float.
[[nodiscard]] inline bool is_setting(double found, double wanted) noexcept {
  return std::abs(found - wanted) <= 1e-6;
}

/// Reads a node LSTM, GRU or RNN as a recurrent layer, or as a Bidirectional.
class OnnxRecurrent {
 public:
  struct Layer {
    LayerDescription description;
    OnnxWeights weights;
    Index units = 0;
    bool both = false;
    /// Whether a node of one direction reads its input from the last step to the first.
    bool reverse = false;
    bool batch_first = false;
  };

  /// `features`: the number F of features in each step of the input. Throws FormatError where the
  /// node does something that no layer of strata does.
  [[nodiscard]] static Layer read(OnnxCall& call, std::string_view op, Index features) {
    OnnxRecurrent node(call, op, features);
    return node.read();
  }

 private:
  OnnxRecurrent(OnnxCall& call, std::string_view op, Index features)
      : call_(&call),
        is_lstm_(op == "LSTM"),
        is_gru_(op == "GRU"),
        gates_(is_lstm_  ? 4
               : is_gru_ ? 3
                         : 1),
        features_(features) {}

  [[nodiscard]] Layer read() {
    read_direction();
    layer_.batch_first = call_->opset() >= 14 && call_->attribute<Index>("layout", 0) == 1;
    if (call_->opset() >= 14 && !layer_.batch_first) call_->require("layout", 0, 0);
    coupled_ = is_lstm_ && call_->attribute<Index>("input_forget", 0) != 0;
    reset_after_ = is_gru_ && call_->attribute<Index>("linear_before_reset", 0) != 0;
    read_weights();
    LayerDescription description = describe();
    if (layer_.both) {
      layer_.description = LayerDescription{"Bidirectional"};
      layer_.description.add("merge", std::string("concat"));
      layer_.description.layers = {std::move(description)};
    } else {
      layer_.description = std::move(description);
    }
    return std::move(layer_);
  }

  void read_direction() {
    const auto direction = call_->attribute<std::string>("direction", "forward");
    if (direction != "forward" && direction != "reverse" && direction != "bidirectional") {
      call_->attribute_where("direction")
          .expected("forward, reverse or bidirectional", in_quotes(direction));
    }
    layer_.reverse = direction == "reverse";
    layer_.both = direction == "bidirectional";
  }

  // Weights.

  void read_weights() {
    const Numbers& kernel = call_->numbers(1);
    const Numbers& recurrent = call_->numbers(2);
    if (recurrent.rank() != 3 || recurrent.shape[2] < 1) {
      call_->where(2).expected("(directions, " + std::to_string(gates_) + " U, U)",
                               sizes_text(recurrent.shape));
    }
    layer_.units = recurrent.shape[2];
    const Index directions = layer_.both ? 2 : 1;
    if (layer_.units > sizes::largest) call_->where(2).refuse("has too many units");
    const Index wide = gates_ * layer_.units;
    check_shape(recurrent, {directions, wide, layer_.units}, call_->where(2));
    check_shape(kernel, {directions, wide, features_}, call_->where(1));
    const Index units = call_->attribute<Index>("hidden_size", layer_.units);
    if (units != layer_.units) {
      call_->attribute_where("hidden_size")
          .expected(std::to_string(layer_.units) + ", as R has", std::to_string(units));
    }
    const Numbers* bias = call_->has(3) ? &call_->numbers(3) : nullptr;
    if (bias) check_shape(*bias, {directions, 2 * wide}, call_->where(3));
    peepholes_ = is_lstm_ && call_->has(7) ? &call_->numbers(7) : nullptr;
    if (peepholes_) check_shape(*peepholes_, {directions, 3 * layer_.units}, call_->where(7));
    has_bias_ = bias != nullptr;
    for (Index direction = 0; direction < directions; ++direction) {
      const std::string prefix = !layer_.both ? "" : direction == 0 ? "forward." : "backward.";
      layer_.weights.emplace(prefix + "kernel", gates_of(kernel, direction, 1));
      layer_.weights.emplace(prefix + "recurrent_kernel", gates_of(recurrent, direction, 2));
      if (bias) layer_.weights.emplace(prefix + "bias", bias_of(*bias, direction));
      if (peepholes_) add_peepholes(prefix, direction);
    }
  }

  /// The gates in strata's order. ONNX orders the gates of an LSTM i, o, f, c. It orders the gates
  /// of a GRU z, r, h, as strata does.
  [[nodiscard]] Numbers in_order(const Numbers& numbers, const Where& where) const {
    if (!is_lstm_) return numbers;
    static constexpr int all[] = {0, 2, 3, 1};
    // With input_forget, f is 1 - i, and the forget gate's weights are not used.
    static constexpr int without_forget[] = {0, 3, 1};
    if (coupled_) return permute_gates(numbers, 4, without_forget, where);
    return permute_gates(numbers, 4, all, where);
  }

  /// The weights (N, G U) of one direction, from ONNX' (D, G U, N).
  [[nodiscard]] Numbers gates_of(const Numbers& numbers, Index direction, std::size_t i) const {
    const Where where = call_->where(i);
    return in_order(transposed(row(numbers, direction, where), where), where);
  }

  /// ONNX has one bias for the input product and one for the recurrent product. strata keeps both,
  /// one below the other, for a GRU that resets after the recurrent product, and else their sum.
  [[nodiscard]] Numbers bias_of(const Numbers& bias, Index direction) const {
    const Where where = call_->where(3);
    const Numbers parts = reshaped(row(bias, direction, where), {2, gates_ * layer_.units}, where);
    const Numbers input = in_order(row(parts, 0, where), where);
    const Numbers recurrent = in_order(row(parts, 1, where), where);
    if (reset_after_) return stacked(input, recurrent, where);
    // Adding a bias of zeros would turn -0 into 0.
    for (const double value : recurrent.values) {
      if (value != 0) return sum(input, recurrent, where);
    }
    return input;
  }

  /// ONNX keeps the peepholes in the order i, o, f.
  void add_peepholes(const std::string& prefix, Index direction) {
    const Where where = call_->where(7);
    const Numbers parts = reshaped(row(*peepholes_, direction, where), {3, layer_.units}, where);
    layer_.weights.emplace(prefix + "peephole_input", row(parts, 0, where));
    layer_.weights.emplace(prefix + "peephole_output", row(parts, 1, where));
    if (!coupled_) layer_.weights.emplace(prefix + "peephole_forget", row(parts, 2, where));
  }

  // Options.

  [[nodiscard]] LayerDescription describe() {
    const auto [recurrent_activation, activation, output_activation] = read_activations();
    const double clip = call_->number("clip", 0);
    if (!(clip >= 0)) call_->attribute_where("clip").expected("at least 0", std::to_string(clip));
    LayerDescription description;
    description.add("units", layer_.units).add("return_sequences", false);
    description.add("activation", activation);
    if (is_lstm_ || is_gru_) description.add("recurrent_activation", recurrent_activation);
    description.add("use_bias", has_bias_);
    description.add("zoneout", 0.0);
    if (is_lstm_) {
      description.add("memory_zoneout", 0.0);
      const bool extended = coupled_ || peepholes_ || clip > 0 || output_activation != activation;
      description.kind = coupled_ ? "CoupledLSTM" : extended ? "ExtendedLSTM" : "LSTM";
      if (extended) {
        if (output_activation != activation) {
          description.add("output_activation", output_activation);
        }
        description.add("peepholes", peepholes_ != nullptr);
        description.add("projection", Index{0});
        description.add("cell_clip", 0.0);
        description.add("activation_clip", clip);
      }
      return description;
    }
    description.kind = !is_gru_ ? "SimpleRNN" : reset_after_ ? "GRU" : "ResetBeforeGRU";
    description.add("activation_clip", clip);
    return description;
  }

  /// The activations that ONNX calls f, g and h: of the gates, of the candidate, and of an LSTM's
  /// memory on its way out. Throws FormatError where the two directions have different ones.
  [[nodiscard]] std::array<Activation, 3> read_activations() {
    const std::size_t count = is_lstm_ ? 3 : is_gru_ ? 2 : 1;
    const auto names = call_->attribute<std::vector<std::string>>("activations", {});
    const auto alphas = call_->attribute<std::vector<float>>("activation_alpha", {});
    const auto betas = call_->attribute<std::vector<float>>("activation_beta", {});
    if (names.empty()) {
      require_used(alphas.size(), 0, "activation_alpha");
      require_used(betas.size(), 0, "activation_beta");
      return {Activation::sigmoid, Activation::tanh, Activation::tanh};
    }
    const std::size_t directions = layer_.both ? 2 : 1;
    if (names.size() != directions * count) {
      call_->attribute_where("activations")
          .expected(std::to_string(directions * count) + " names", std::to_string(names.size()));
    }
    std::size_t alpha = 0;
    std::size_t beta = 0;
    std::vector<Activation> found;
    for (const std::string& name : names) {
      found.push_back(activation_of(name, alphas, alpha, betas, beta));
    }
    require_used(alphas.size(), alpha, "activation_alpha");
    require_used(betas.size(), beta, "activation_beta");
    for (std::size_t i = 0; layer_.both && i < count; ++i) {
      if (found[i] != found[count + i]) {
        call_->attribute_where("activations").expected("the same in both directions", "others");
      }
    }
    if (is_lstm_) return {found[0], found[1], found[2]};
    if (is_gru_) return {found[0], found[1], found[1]};
    return {Activation::sigmoid, found[0], found[0]};
  }

  /// Finds the activation of a name and settings. Each list of settings has entries only for the
  /// activations that have such a setting, one after the other; `alpha` and `beta` are the places
  /// of the next entries.
  [[nodiscard]] Activation activation_of(const std::string& name, const std::vector<float>& alphas,
                                         std::size_t& alpha, const std::vector<float>& betas,
                                         std::size_t& beta) const {
    std::vector<std::string> known;
    std::vector<const OnnxActivation*> named;
    for (const OnnxActivation& one : onnx_activations) {
      if (known.empty() || known.back() != one.name) known.emplace_back(one.name);
      if (one.name == name) named.push_back(&one);
    }
    if (named.empty()) {
      call_->attribute_where("activations").expected("one of " + list_text(known), in_quotes(name));
    }
    const auto found_alpha =
        setting(named[0]->alpha.has_value(), alphas, alpha, default_alpha(name));
    const auto found_beta = setting(named[0]->beta.has_value(), betas, beta, default_beta(name));
    std::vector<std::string> wanted;
    for (const OnnxActivation* const one : named) {
      if (fits(one->alpha, found_alpha) && fits(one->beta, found_beta)) return one->activation;
      if (one->alpha) wanted.push_back(std::to_string(*one->alpha));
    }
    const bool alpha_fits = std::any_of(
        named.begin(), named.end(), [&](const auto* one) { return fits(one->alpha, found_alpha); });
    const auto& found = alpha_fits ? found_beta : found_alpha;
    call_->attribute_where(alpha_fits ? "activation_beta" : "activation_alpha")
        .expected(
            (alpha_fits ? std::to_string(*named[0]->beta) : list_text(wanted)) + " for " + name,
            found ? std::to_string(*found) : "nothing");
  }

  /// ONNX' values of the settings that a file leaves out.
  [[nodiscard]] static std::optional<double> default_alpha(std::string_view name) noexcept {
    if (name == "Elu") return 1.0;
    if (name == "HardSigmoid") return 0.2;
    return std::nullopt;
  }
  [[nodiscard]] static std::optional<double> default_beta(std::string_view name) noexcept {
    return name == "HardSigmoid" ? std::optional(0.5) : std::nullopt;
  }

  /// The next setting of a list, for an activation that has one; `otherwise` where the node does
  /// not have the list.
  [[nodiscard]] static std::optional<double> setting(bool has, const std::vector<float>& list,
                                                     std::size_t& at,
                                                     std::optional<double> otherwise) {
    if (!has || list.empty()) return otherwise;
    return at < list.size() ? std::optional(static_cast<double>(list[at++])) : std::nullopt;
  }
  [[nodiscard]] static bool fits(const std::optional<double>& wanted,
                                 const std::optional<double>& found) noexcept {
    return !wanted || (found && is_setting(*found, *wanted));
  }

  void require_used(std::size_t found, std::size_t used, const char* list) const {
    if (found != used) {
      call_->attribute_where(list).expected(std::to_string(used) +
                                                " numbers, of those activations "
                                                "that have them",
                                            std::to_string(found));
    }
  }

  OnnxCall* call_;
  bool is_lstm_;
  bool is_gru_;
  Index gates_;
  Index features_;
  bool coupled_ = false;
  bool reset_after_ = false;
  bool has_bias_ = false;
  const Numbers* peepholes_ = nullptr;
  Layer layer_;
};

}  // namespace strata::inline STRATA_RUNTIME::io
