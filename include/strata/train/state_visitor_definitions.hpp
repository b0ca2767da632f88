#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include <strata/error.hpp>
#include <strata/error_handler.hpp>
#include <strata/target.hpp>
#include <strata/train/state_visitor.hpp>
#include <strata/train/training_state.hpp>

namespace strata::inline STRATA_RUNTIME {

struct StateVisitor::Taken {
  std::set<std::string> names;
};

STRATA_INLINE StateVisitor::StateVisitor(TrainingState& state)
    : state_(&state), put_(&state), taken_(std::make_shared<Taken>()) {}

STRATA_INLINE StateVisitor::StateVisitor(const TrainingState& state)
    : state_(&state), taken_(std::make_shared<Taken>()) {}

STRATA_INLINE StateVisitor StateVisitor::within(const std::string& prefix) const {
  StateVisitor inner = *this;
  inner.prefix_ = prefix_ + prefix + ".";
  return inner;
}

STRATA_INLINE void StateVisitor::finish() const {
  for (const auto& [name, value] : state_->values) {
    if (!taken_->names.contains(name)) {
      detail::raise<ValueError>(
          "the state of a training: " + name +
          ": belongs to nothing in this training; are its callbacks the same?");
    }
  }
}

STRATA_INLINE void StateVisitor::fail(const std::string& name, const std::string& what) const {
  detail::raise<ValueError>("the state of a training: " + prefix_ + name + ": " + what);
}

STRATA_INLINE void StateVisitor::fail_changed(const std::string& name, const std::string& kept,
                                              const std::string& value) const {
  fail(name, "was " + kept + " when the state was kept, and is " + value + " now");
}

template <class T>
void StateVisitor::exchange(const std::string& name, T& value) {
  if (put_) {
    put_->values[prefix_ + name] = value;
    return;
  }
  const auto found = state_->values.find(prefix_ + name);
  if (found == state_->values.end()) fail(name, "is missing; are the callbacks the same?");
  const T* kept = std::get_if<T>(&found->second);
  if (!kept) fail(name, "is of another type");
  value = *kept;
  taken_->names.insert(found->first);
}

template <class T>
void StateVisitor::exchange_one(const std::string& name, T& value) {
  std::vector<T> one{value};
  exchange(name, one);
  if (one.size() != 1) fail(name, "is not one number");
  value = one.front();
}

STRATA_INLINE void StateVisitor::whole(const std::string& name, std::int64_t& variable) {
  exchange_one(name, variable);
}

STRATA_INLINE void StateVisitor::operator()(const std::string& name, float& variable) {
  exchange_one(name, variable);
}

STRATA_INLINE void StateVisitor::operator()(const std::string& name, double& variable) {
  exchange_one(name, variable);
}

STRATA_INLINE void StateVisitor::operator()(const std::string& name, std::string& variable) {
  exchange(name, variable);
}

STRATA_INLINE void StateVisitor::operator()(const std::string& name,
                                            std::vector<std::int64_t>& variable) {
  exchange(name, variable);
}

STRATA_INLINE void StateVisitor::operator()(const std::string& name, std::vector<float>& variable) {
  exchange(name, variable);
}

STRATA_INLINE void StateVisitor::operator()(const std::string& name,
                                            std::vector<double>& variable) {
  exchange(name, variable);
}

STRATA_INLINE void StateVisitor::operator()(const std::string& name,
                                            std::optional<double>& variable) {
  std::vector<double> list;
  if (variable) list.push_back(*variable);
  exchange(name, list);
  variable.reset();
  if (!list.empty()) variable = list.front();
}

STRATA_INLINE void StateVisitor::operator()(const std::string& name,
                                            std::vector<std::string>& variable) {
  std::string text;
  for (const std::string& line : variable) text += line + "\n";
  exchange(name, text);
  variable.clear();
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = (std::min)(text.find('\n', at), text.size());
    variable.push_back(text.substr(at, end - at));
    at = end + 1;
  }
}

}  // namespace strata::inline STRATA_RUNTIME
