#pragma once

#include <string>
#include <vector>

#include <strata/error.hpp>
#include <strata/error_handler.hpp>
#include <strata/target.hpp>
#include <strata/train/history.hpp>
#include <strata/train/state_visitor.hpp>

namespace strata::inline STRATA_RUNTIME {

STRATA_INLINE void Logs::set(const std::string& name, double value) {
  for (auto& [known, figure] : figures_) {
    if (known == name) {
      figure = value;
      return;
    }
  }
  figures_.emplace_back(name, value);
}

STRATA_INLINE const double* Logs::find(const std::string& name) const& noexcept {
  for (const auto& [known, figure] : figures_) {
    if (known == name) return &figure;
  }
  return nullptr;
}

STRATA_INLINE double Logs::operator[](const std::string& name) const {
  if (const double* figure = find(name)) return *figure;
  std::string names;
  for (const auto& [known, figure] : figures_) names += " " + known;
  detail::raise<ValueError>("there is no figure named " + name + "; there are:" + names);
}

STRATA_INLINE double Evaluation::operator[](const std::string& name) const {
  return name == "loss" ? loss : metrics[name];
}

STRATA_INLINE const std::vector<double>& History::operator[](const std::string& name) const& {
  std::string known;
  for (std::size_t i = 0; i < names_.size(); ++i) {
    if (names_[i] == name) return values_[i];
    known += " " + names_[i];
  }
  detail::raise<ValueError>("the history has no figure named " + name + "; it has:" + known);
}

STRATA_INLINE std::vector<double> History::operator[](const std::string& name) const&& {
  return (*this)[name];
}

STRATA_INLINE std::size_t History::epochs() const noexcept {
  return values_.empty() ? 0 : values_.front().size();
}

STRATA_INLINE void History::append(const Logs& logs) {
  for (const auto& [name, value] : logs) {
    std::size_t i = 0;
    while (i < names_.size() && names_[i] != name) ++i;
    if (i == names_.size()) {
      names_.push_back(name);
      values_.emplace_back();
    }
    values_[i].push_back(value);
  }
}

STRATA_INLINE void History::visit_state(StateVisitor visit) {
  visit("names", names_);
  values_.resize(names_.size());
  for (std::size_t i = 0; i < names_.size(); ++i) visit("figure." + names_[i], values_[i]);
}

}  // namespace strata::inline STRATA_RUNTIME
