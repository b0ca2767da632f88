#pragma once

#include <string>
#include <utility>
#include <vector>

#include <strata/target.hpp>
#include <strata/train/state_visitor.hpp>

namespace strata::inline STRATA_RUNTIME {

/// Named figures in the order in which they were set first: loss, metrics, val_loss, ...
class Logs {
 public:
  void set(const std::string& name, double value);

  /// The figure, or null when there is none of this name.
  [[nodiscard]] const double* find(const std::string& name) const& noexcept;

  /// Throws ValueError, listing the names, when there is none of this name.
  [[nodiscard]] double operator[](const std::string& name) const;

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
  [[nodiscard]] double operator[](const std::string& name) const;
};

/// Every figure of every epoch of a training.
class History {
 public:
  /// The values of a figure, one for each epoch. Throws ValueError when there is no figure of this
  /// name.
  [[nodiscard]] const std::vector<double>& operator[](const std::string& name) const&;

  [[nodiscard]] const std::vector<std::string>& names() const& noexcept { return names_; }

  /// Copies the values of a figure, since the history is a temporary, as in `for (double loss :
  /// model.fit(x, y)["loss"])`.
  [[nodiscard]] std::vector<double> operator[](const std::string& name) const&&;
  [[nodiscard]] std::vector<std::string> names() const&& { return names_; }

  /// The number of epochs that were trained.
  [[nodiscard]] std::size_t epochs() const noexcept;

  void append(const Logs& logs);

  void visit_state(StateVisitor visit);

 private:
  std::vector<std::string> names_;
  std::vector<std::vector<double>> values_;
};

}  // namespace strata::inline STRATA_RUNTIME

#ifndef STRATA_COMPILED
#include <strata/train/history_definitions.hpp>
#endif
