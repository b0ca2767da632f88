#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <ctime>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace papers {

/// The processor time of this program so far, in seconds.
inline double processor_seconds() {
  return static_cast<double>(std::clock()) / static_cast<double>(CLOCKS_PER_SEC);
}

/// Throws where the net of a row has not the number of weights that the table states.
inline void check_weights(const std::string& net, long long found, long long expected) {
  if (found == expected) return;
  throw std::logic_error(net + " has " + std::to_string(found) + " weights; the table says " +
                         std::to_string(expected));
}

struct Row {
  std::string net;
  long long weights = 0;
  double ours = 0;
  std::optional<double> paper = std::nullopt;
  int epochs = 0;
  double seconds = 0;  ///< of processor time
};

/// Rows as aligned text, below the name of the figure that they compare:
///
///   nats per frame    weights   strata    paper   epochs   seconds
///   RNN               110,000    8.340    8.340       40        12
class Table {
 public:
  /// `figure` heads the first column; figures are printed with `decimals` places.
  explicit Table(std::string figure, int decimals = 3)
      : figure_(std::move(figure)), decimals_(decimals) {}

  void add(Row row) { rows_.push_back(std::move(row)); }
  [[nodiscard]] const std::vector<Row>& rows() const { return rows_; }

  void print() const {
    std::size_t longest = figure_.size();
    for (const Row& row : rows_) longest = std::max(longest, row.net.size());
    const int width = static_cast<int>(longest);
    std::printf("\n%-*s %12s %9s %9s %8s %9s\n", width, figure_.c_str(), "weights", "strata",
                "paper", "epochs", "seconds");
    for (const Row& row : rows_) {
      std::printf("%-*s %12s %9s %9s %8d %9.0f\n", width, row.net.c_str(),
                  grouped(row.weights).c_str(), decimal(row.ours).c_str(),
                  row.paper ? decimal(*row.paper).c_str() : "-", row.epochs, row.seconds);
    }
    std::fflush(stdout);
  }

 private:
  [[nodiscard]] std::string decimal(double value) const {
    char text[64];
    std::snprintf(text, sizeof text, "%.*f", decimals_, value);
    return text;
  }
  static std::string grouped(long long number) {
    std::string text = std::to_string(number);
    for (std::size_t place = text.size(); place > 3; place -= 3) text.insert(place - 3, ",");
    return text;
  }

  std::string figure_;
  int decimals_;
  std::vector<Row> rows_;
};

}  // namespace papers
