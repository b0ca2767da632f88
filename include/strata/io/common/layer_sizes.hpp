#pragma once

#include <string>
#include <variant>
#include <vector>

#include <strata/contracts/description.hpp>
#include <strata/io/common/arrays.hpp>
#include <strata/io/common/where.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_TARGET::io {

/// Refuses layers that would have more weights than their file has numbers, before anything is
/// allocated for them.
class SizeLimit {
 public:
  /// `numbers`: of all arrays of the file.
  explicit SizeLimit(std::size_t numbers) : numbers_(numbers) {}

  /// Throws FormatError when the largest matrices of a layer of F inputs, of those it is made of
  /// too, hold more numbers than there are. Returns the layer's outputs.
  Index check(const LayerDescription& layer, Index features, const Where& where) const {
    if (layer.kind == "SkipConnections") {
      Index before = 0;
      Index outputs = 0;
      for (const auto& inner : layer.layers) {
        before = check(inner, features + before, where);
        outputs += before;
      }
      return outputs;
    }
    if (!layer.layers.empty()) {
      const Index outputs = check(layer.layers[0], features, where);
      return layer.kind == "Bidirectional" && text(layer, "merge") == "concat" ? 2 * outputs
                                                                               : outputs;
    }
    const Index units = size(layer, "units");
    if (units == 0) {
      // Those that normalize keep numbers for each feature, even without weights.
      if (layer.find("epsilon") && features > smallest_limit) require(features, 1, where);
      return features;
    }
    const Index vocabulary = size(layer, "vocabulary");
    if (vocabulary > 0) {
      require(vocabulary, units, where);
      return units;
    }
    std::vector<Index> widths = transitions(layer);
    widths.push_back(units);
    require(features, widths.front(), where);
    for (std::size_t i = 1; i < widths.size(); ++i) require(widths[i - 1], widths[i], where);
    if (!layer.find("return_sequences")) {
      return layer.kind == "AttentionPooling" ? features : units;
    }
    const Index projection = size(layer, "projection");
    const Index outputs = projection > 0 ? projection : units;
    require(outputs, widths.front(), where);
    return outputs;
  }

 private:
  void require(Index rows, Index columns, const Where& where) const {
    std::uint64_t count = 0;
    if (rows < 0 || columns < 0 ||
        __builtin_mul_overflow(static_cast<std::uint64_t>(rows),
                               static_cast<std::uint64_t>(columns), &count) ||
        count > numbers_) {
      where.refuse("has a matrix of the sizes " + sizes_text({rows, columns}) +
                   ", but all arrays of the file together hold " + std::to_string(numbers_) +
                   " numbers");
    }
  }

  [[nodiscard]] static Index size(const LayerDescription& layer, const char* name) {
    const auto* value = layer.find(name);
    const auto* whole = value ? std::get_if<Index>(value) : nullptr;
    // Whoever makes the layer refuses sizes below 1.
    return whole && *whole > 0 ? *whole : 0;
  }
  [[nodiscard]] static std::vector<Index> transitions(const LayerDescription& layer) {
    const auto* value = layer.find("transitions");
    const auto* list = value ? std::get_if<std::vector<Index>>(value) : nullptr;
    return list ? *list : std::vector<Index>();
  }
  [[nodiscard]] static std::string text(const LayerDescription& layer, const char* name) {
    const auto* value = layer.find(name);
    const auto* found = value ? std::get_if<std::string>(value) : nullptr;
    return found ? *found : std::string();
  }

  static constexpr Index smallest_limit = Index{1} << 20;

  std::size_t numbers_;
};

}  // namespace strata::inline STRATA_TARGET::io
