#pragma once

#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME {

struct TrainingState;

/// Puts variables into a TrainingState, or takes them out of one. An object whose variables belong
/// to the state of a training has one function for both directions:
///
///   void visit_state(StateVisitor& visit) { visit("waited", memory.waited); }
class StateVisitor {
 public:
  /// A visitor that puts variables into a state.
  explicit StateVisitor(TrainingState& state);
  /// A visitor that takes variables out of a state.
  explicit StateVisitor(const TrainingState& state);

  [[nodiscard]] bool takes_out() const noexcept { return put_ == nullptr; }

  /// A visitor of variables whose names in the state begin with a prefix.
  [[nodiscard]] StateVisitor within(const std::string& prefix) const;

  /// Visits a variable: a whole number or bool, float or double, a text, or a vector of any of
  /// these types but bool. When taking out, throws ValueError where the state has no variable of
  /// this name and type.
  template <std::integral T>
  void operator()(const std::string& name, T& variable) {
    auto number = static_cast<std::int64_t>(variable);
    whole(name, number);
    variable = static_cast<T>(number);
  }
  void operator()(const std::string& name, float& variable);
  void operator()(const std::string& name, double& variable);
  void operator()(const std::string& name, std::string& variable);
  void operator()(const std::string& name, std::vector<std::int64_t>& variable);
  void operator()(const std::string& name, std::vector<float>& variable);
  void operator()(const std::string& name, std::vector<double>& variable);
  void operator()(const std::string& name, std::optional<double>& variable);
  /// Visits texts without line breaks.
  void operator()(const std::string& name, std::vector<std::string>& variable);

  /// Visits a setting. When taking out, throws ValueError unless the setting has the value in the
  /// state.
  template <class T>
  void require_same(const std::string& name, const T& value) {
    T kept = value;
    (*this)(name, kept);
    if (kept == value) return;
    if constexpr (std::same_as<T, std::string>) {
      fail_changed(name, kept, value);
    } else {
      fail_changed(name, std::to_string(kept), std::to_string(value));
    }
  }

  /// Throws ValueError, naming the variable, when a variable of the state has not been taken out.
  void finish() const;

 private:
  struct Taken;

  [[noreturn]] void fail(const std::string& name, const std::string& what) const;
  [[noreturn]] void fail_changed(const std::string& name, const std::string& kept,
                                 const std::string& value) const;
  void whole(const std::string& name, std::int64_t& variable);
  template <class T>
  void exchange(const std::string& name, T& value);
  template <class T>
  void exchange_one(const std::string& name, T& value);

  const TrainingState* state_;
  TrainingState* put_ = nullptr;
  std::string prefix_;
  /// The names that have been taken out, shared with the visitors that within() returns.
  std::shared_ptr<Taken> taken_;
};

}  // namespace strata::inline STRATA_RUNTIME

#ifndef STRATA_COMPILED
#include <strata/train/state_visitor_definitions.hpp>
#endif
