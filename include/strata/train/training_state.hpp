#pragma once

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <strata/contracts/description.hpp>
#include <strata/error.hpp>
#include <strata/layers/input.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME {

/// The state of a training between two batches, as numbers and texts by name, with which the
/// training goes on with the same bits. Files keep it; see ModelCheckpoint.
struct TrainingState {
  using Value =
      std::variant<std::vector<std::int64_t>, std::vector<float>, std::vector<double>, std::string>;

  /// A parameter of the model.
  struct Weights {
    std::string name;
    Shape shape;
    std::variant<std::vector<float>, std::vector<double>> values;
  };

  std::optional<Input> input;
  std::vector<LayerDescription> layers;
  std::vector<Weights> weights;
  /// Everything else: optimizer, position, history, callbacks.
  std::map<std::string, Value> values;
};

}  // namespace strata::inline STRATA_RUNTIME

namespace strata::detail::inline STRATA_RUNTIME {

/// The weights of a state in the order of a model's parameters. Throws ValueError unless state and
/// model have the same parameters, with the same shapes and scalar.
template <class Scalar, class Parameters>
[[nodiscard]] std::vector<Scalar> weights_of(const TrainingState& state,
                                             const Parameters& parameters) {
  std::map<std::string_view, const TrainingState::Weights*> by_name;
  for (const auto& weights : state.weights) by_name[weights.name] = &weights;
  std::vector<Scalar> all;
  for (const auto& parameter : parameters) {
    const auto found = by_name.find(parameter.name);
    const auto* const weights = found == by_name.end() ? nullptr : found->second;
    const auto* values = weights ? std::get_if<std::vector<Scalar>>(&weights->values) : nullptr;
    if (!values || weights->shape != parameter.shape || values->size() != parameter.values.size()) {
      throw ValueError("the state of a training: has no " + parameter.name + " of the shape " +
                       to_string(parameter.shape) + " and the model's scalar");
    }
    all.insert(all.end(), values->begin(), values->end());
  }
  if (state.weights.size() != parameters.size()) {
    throw ValueError("the state of a training: has " + std::to_string(state.weights.size()) +
                     " parameters, but the model has " + std::to_string(parameters.size()));
  }
  return all;
}

}  // namespace strata::detail::inline STRATA_RUNTIME

namespace strata::inline STRATA_RUNTIME {

/// Puts variables into a TrainingState, or takes them out of one. An object whose variables belong
/// to the state of a training has one function for both directions:
///
///   void visit_state(StateVisitor& visit) { visit("waited", memory.waited); }
class StateVisitor {
 public:
  /// A visitor that puts variables into a state.
  explicit StateVisitor(TrainingState& state) : state_(&state), put_(&state) {}
  /// A visitor that takes variables out of a state.
  explicit StateVisitor(const TrainingState& state) : state_(&state) {}

  [[nodiscard]] bool takes_out() const noexcept { return put_ == nullptr; }

  /// A visitor of variables whose names in the state begin with a prefix.
  [[nodiscard]] StateVisitor within(const std::string& prefix) const {
    StateVisitor inner = *this;
    inner.prefix_ = prefix_ + prefix + ".";
    return inner;
  }

  /// Visits a variable: a whole number or bool, float or double, a text, or a vector of any of
  /// these types but bool. When taking out, throws ValueError where the state has no variable of
  /// this name and type.
  template <class T>
  void operator()(const std::string& name, T& variable) {
    if constexpr (std::integral<T>) {
      std::vector<std::int64_t> one{static_cast<std::int64_t>(variable)};
      exchange(name, one);
      variable = static_cast<T>(single(name, one));
    } else if constexpr (std::floating_point<T>) {
      std::vector<T> one{variable};
      exchange(name, one);
      variable = single(name, one);
    } else {
      exchange(name, variable);
    }
  }

  void operator()(const std::string& name, std::optional<double>& variable) {
    std::vector<double> list;
    if (variable) list.push_back(*variable);
    exchange(name, list);
    variable.reset();
    if (!list.empty()) variable = list.front();
  }

  /// Visits texts without line breaks.
  void operator()(const std::string& name, std::vector<std::string>& variable) {
    std::string text;
    for (const std::string& line : variable) text += line + "\n";
    exchange(name, text);
    variable.clear();
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t end = std::min(text.find('\n', at), text.size());
      variable.push_back(text.substr(at, end - at));
      at = end + 1;
    }
  }

  /// Visits a setting. When taking out, throws ValueError unless the setting has the value in the
  /// state.
  template <class T>
  void require_same(const std::string& name, const T& value) {
    T kept = value;
    (*this)(name, kept);
    if (kept == value) return;
    if constexpr (std::same_as<T, std::string>) {
      fail(name, "was " + kept + " when the state was kept, and is " + value + " now");
    } else {
      fail(name, "was " + std::to_string(kept) + " when the state was kept, and is " +
                     std::to_string(value) + " now");
    }
  }

  /// Throws ValueError, naming the variable, when a variable of the state has not been taken out.
  void finish() const {
    for (const auto& [name, value] : state_->values) {
      if (!taken_->contains(name)) {
        throw ValueError("the state of a training: " + name +
                         ": belongs to nothing in this training; are its callbacks the same?");
      }
    }
  }

 private:
  [[noreturn]] void fail(const std::string& name, const std::string& what) const {
    throw ValueError("the state of a training: " + prefix_ + name + ": " + what);
  }

  template <class T>
  void exchange(const std::string& name, T& value) {
    if (put_) {
      put_->values[prefix_ + name] = value;
      return;
    }
    const auto found = state_->values.find(prefix_ + name);
    if (found == state_->values.end()) fail(name, "is missing; are the callbacks the same?");
    const T* kept = std::get_if<T>(&found->second);
    if (!kept) fail(name, "is of another type");
    value = *kept;
    taken_->insert(found->first);
  }

  template <class T>
  [[nodiscard]] T single(const std::string& name, const std::vector<T>& list) const {
    if (list.size() != 1) fail(name, "is not one number");
    return list.front();
  }

  const TrainingState* state_;
  TrainingState* put_ = nullptr;
  std::string prefix_;
  /// The names that have been taken out, shared with the visitors that within() returns.
  std::shared_ptr<std::set<std::string>> taken_ = std::make_shared<std::set<std::string>>();
};

}  // namespace strata::inline STRATA_RUNTIME
