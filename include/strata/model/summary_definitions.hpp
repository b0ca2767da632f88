#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <strata/model/network.hpp>
#include <strata/model/precision_chain.hpp>
#include <strata/model/summary.hpp>
#include <strata/target.hpp>

namespace strata::detail::inline STRATA_RUNTIME {

/// A number with commas between thousands: 12345 becomes "12,345".
[[nodiscard]] inline std::string with_commas(Index number) {
  std::string text = std::to_string(number);
  for (Index at = static_cast<Index>(text.size()) - 3; at > 0; at -= 3) {
    text.insert(static_cast<std::size_t>(at), 1, ',');
  }
  return text;
}

[[nodiscard]] inline std::string repeat(const char* text, std::size_t times) {
  std::string all;
  for (std::size_t i = 0; i < times; ++i) all += text;
  return all;
}

/// A table in Keras' frame, its first row the heading: layers, their output shapes, and further
/// columns. The last column is aligned to the right.
[[nodiscard]] inline std::string framed_table(const std::vector<std::vector<std::string>>& rows) {
  const std::size_t columns = rows.front().size();
  const std::size_t last = columns - 1;
  std::vector<std::size_t> width(columns, 0);
  width[0] = 20;
  width[1] = 17;
  width[last] = 13;
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < columns; ++i) width[i] = (std::max)(width[i], row[i].size());
  }
  const auto line = [&](const char* left, const char* bar, const char* joint, const char* right) {
    std::string text = left;
    for (std::size_t i = 0; i < columns; ++i) {
      text += repeat(bar, width[i] + 2) + (i < last ? joint : right);
    }
    return text + "\n";
  };
  std::string text = line("┏", "━", "┳", "┓");
  for (std::size_t r = 0; r < rows.size(); ++r) {
    const std::string bar = r == 0 ? "┃" : "│";
    if (r == 1) text += line("┡", "━", "╇", "┩");
    if (r > 1) text += line("├", "─", "┼", "┤");
    for (std::size_t i = 0; i < columns; ++i) {
      const std::string space(width[i] - rows[r][i].size(), ' ');
      text += bar + " " + (i == last ? space + rows[r][i] : rows[r][i] + space) + " ";
    }
    text += bar + "\n";
  }
  return text + line("└", "─", "┴", "┘");
}

/// Adds the column of the precision in which each layer runs, before the last column.
template <class Scalar>
void add_precisions(const Network<Scalar>& network, Precision asked,
                    std::vector<std::vector<std::string>>& rows) {
  const auto add = [](std::vector<std::string>& row, std::string_view text) {
    row.insert(row.end() - 1, std::string(text));
  };
  add(rows[0], "Precision");
  if (!network.is_built()) {
    for (std::size_t i = 1; i < rows.size(); ++i) add(rows[i], "?");
    return;
  }
  std::vector<Precision> precisions;
  PrecisionChain chain(asked, precisions);
  for (const auto& layer : network.layers()) {
    chain.follow(layer.execution(chain.asked()));
    add(rows[precisions.size()], name(precisions.back()));
  }
  check_precision("summary", asked, precisions);
}

template <class Scalar>
std::string summary(const Network<Scalar>& network, Precision precision) {
  std::vector<std::vector<std::string>> rows{{"Layer (type)", "Output Shape", "Param #"}};
  const auto names = network.layer_names();
  Shape shape = network.is_built() ? network.input()->shape() : Shape{};
  Index total = 0;
  Index trainable = 0;
  for (std::size_t i = 0; i < network.size(); ++i) {
    const auto& layer = network.layers()[i];
    std::vector<std::string> row{names[i] + " (" + layer.kind() + ")", "?", "?"};
    if (network.is_built()) {
      shape = layer.output_shape(shape);
      const Index count = layer.parameter_count();
      total += count;
      row[1] = to_string(shape);
      row[2] = with_commas(count);
    }
    rows.push_back(std::move(row));
  }
  if (precision != Precision::full) add_precisions(network, precision, rows);
  if (network.is_built()) {
    for (const auto& parameter : network.parameters()) {
      if (parameter.trainable) trainable += parameter.shape.size();
    }
  }
  const auto number = [&](Index count) {
    return network.is_built() ? with_commas(count) : std::string("?");
  };
  return "Model: \"sequential\"\n" + framed_table(rows) + " Total params: " + number(total) +
         "\n Trainable params: " + number(trainable) +
         "\n Non-trainable params: " + with_commas(total - trainable) + "\n";
}

}  // namespace strata::detail::inline STRATA_RUNTIME
