#pragma once

#include <string>
#include <utility>
#include <vector>

#include <strata/error.hpp>
#include <strata/target.hpp>
#include <strata/train/training_state.hpp>

namespace strata::inline STRATA_RUNTIME {

/// Named figures in the order in which they were set first: loss, metrics, val_loss, ...
class Logs {
 public:
  void set(const std::string& name, double value) {
    for (auto& [known, figure] : figures_) {
      if (known == name) {
        figure = value;
        return;
      }
    }
    figures_.emplace_back(name, value);
  }

  /// The figure, or null when there is none of this name.
  [[nodiscard]] const double* find(const std::string& name) const& noexcept {
    for (const auto& [known, figure] : figures_) {
      if (known == name) return &figure;
    }
    return nullptr;
  }

  /// Throws ValueError, listing the names, when there is none of this name.
  [[nodiscard]] double operator[](const std::string& name) const {
    if (const double* figure = find(name)) return *figure;
    std::string names;
    for (const auto& [known, figure] : figures_) names += " " + known;
    throw ValueError("there is no figure named " + name + "; there are:" + names);
  }

  [[nodiscard]] auto begin() const& noexcept { return figures_.begin(); }
  [[nodiscard]] auto end() const& noexcept { return figures_.end(); }
  [[nodiscard]] std::size_t size() const noexcept { return figures_.size(); }

  // Deleted for temporaries, since the pointer would outlive the figures: give the logs a name
  // first.
  const double* find(const std::string& name) const&& = delete;
  void begin() const&& = delete;
  void end() const&& = delete;

 private:
  std::vector<std::pair<std::string, double>> figures_;
};

/// Loss and metrics of a model on some data: the means over all samples, or over all steps that
/// count.
struct Evaluation {
  double loss = 0;
  Logs metrics;

  /// The loss, by the name "loss", or a metric by its name. Throws ValueError when there is none of
  /// this name.
  [[nodiscard]] double operator[](const std::string& name) const {
    return name == "loss" ? loss : metrics[name];
  }
};

/// Every figure of every epoch of a training.
class History {
 public:
  /// The values of a figure, one for each epoch. Throws ValueError when there is no figure of this
  /// name.
  [[nodiscard]] const std::vector<double>& operator[](const std::string& name) const& {
    std::string known;
    for (std::size_t i = 0; i < names_.size(); ++i) {
      if (names_[i] == name) return values_[i];
      known += " " + names_[i];
    }
    throw ValueError("the history has no figure named " + name + "; it has:" + known);
  }

  [[nodiscard]] const std::vector<std::string>& names() const& noexcept { return names_; }

  /// Copies the values of a figure, since the history is a temporary, as in `for (double loss :
  /// model.fit(x, y)["loss"])`.
  [[nodiscard]] std::vector<double> operator[](const std::string& name) const&& {
    return (*this)[name];
  }
  [[nodiscard]] std::vector<std::string> names() const&& { return names_; }

  /// The number of epochs that were trained.
  [[nodiscard]] std::size_t epochs() const noexcept {
    return values_.empty() ? 0 : values_.front().size();
  }

  void append(const Logs& logs) {
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

  void visit_state(StateVisitor visit) {
    visit("names", names_);
    values_.resize(names_.size());
    for (std::size_t i = 0; i < names_.size(); ++i) visit("figure." + names_[i], values_[i]);
  }

 private:
  std::vector<std::string> names_;
  std::vector<std::vector<double>> values_;
};

}  // namespace strata::inline STRATA_RUNTIME
