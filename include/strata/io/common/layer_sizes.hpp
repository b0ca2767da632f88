#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <strata/contracts/description.hpp>
#include <strata/io/common/arrays.hpp>
#include <strata/io/common/registry.hpp>
#include <strata/io/common/where.hpp>
#include <strata/language/checked_arithmetic.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME::io {

/// Refuses layers that would have more weights than their file has numbers, before anything is
/// allocated for the layers: a damaged size must not exhaust the memory.
class SizeLimit {
 public:
  /// `numbers`: how many numbers all arrays of the file hold together.
  explicit SizeLimit(std::size_t numbers) : numbers_(numbers) {}

  /// The output features of a layer of F = `features` inputs. Throws FormatError when a matrix of
  /// the layer, or of a layer inside it, would hold more numbers than the file. An unknown kind
  /// passes, since LayerMaker refuses it.
  Index check(const LayerDescription& layer, Index features, const Where& where) const;

  /// Throws FormatError when a matrix of these sizes holds more numbers than the file.
  void require(Index rows, Index columns, const Where& where) const {
    std::uint64_t count = 0;
    if (rows < 0 || columns < 0 ||
        detail::multiply_overflows(static_cast<std::uint64_t>(rows),
                                   static_cast<std::uint64_t>(columns), count) ||
        count > numbers_) {
      where.refuse("has a matrix of the sizes " + sizes_text({rows, columns}) +
                   ", but all arrays of the file together hold " + std::to_string(numbers_) +
                   " numbers");
    }
  }

 private:
  std::size_t numbers_;
};

/// The sizes in the description of one layer, for LayerKind::outputs. An option that is missing or
/// of another type counts as 0 or empty, since LayerMaker refuses it later with a better message.
class LayerSizes {
 public:
  LayerSizes(const SizeLimit& limit, const LayerDescription& layer, Index features,
             const Where& where)
      : limit_(&limit), layer_(&layer), features_(features), where_(&where) {}

  [[nodiscard]] const LayerDescription& description() const noexcept { return *layer_; }
  /// F.
  [[nodiscard]] Index features() const noexcept { return features_; }
  [[nodiscard]] Index size(const char* name) const {
    const auto* size = layer_->find<Index>(name);
    return size && *size > 0 ? *size : 0;
  }
  [[nodiscard]] std::vector<Index> list(const char* name) const {
    const auto* list = layer_->find<std::vector<Index>>(name);
    return list ? *list : std::vector<Index>();
  }
  [[nodiscard]] std::string text(const char* name) const {
    const auto* text = layer_->find<std::string>(name);
    return text ? *text : std::string();
  }

  /// Throws FormatError when the file has too few numbers for a matrix of these sizes. Returns
  /// `columns`.
  Index require_matrix(Index rows, Index columns) const {
    limit_->require(rows, columns, *where_);
    return columns;
  }
  /// Throws FormatError when the file has too few numbers for a vector of `size` numbers, one for
  /// each feature. Vectors of up to 2^20 numbers always pass, since some layers keep vectors that
  /// are not in the file. Returns `size`.
  Index require_vector(Index size) const {
    if (size > smallest_limit) limit_->require(size, 1, *where_);
    return size;
  }

  [[nodiscard]] std::size_t inner_layers() const noexcept { return layer_->layers.size(); }
  /// Checks layer `i` inside this one, for F = `features` inputs. Returns its output features.
  [[nodiscard]] Index inner(std::size_t i, Index features) const {
    return i < inner_layers() ? limit_->check(layer_->layers[i], features, *where_) : features;
  }

 private:
  static constexpr Index smallest_limit = Index{1} << 20;

  const SizeLimit* limit_;
  const LayerDescription* layer_;
  Index features_;
  const Where* where_;
};

inline Index SizeLimit::check(const LayerDescription& layer, Index features,
                              const Where& where) const {
  Index outputs = features;
  with_kind(layer.kind,
            [&](auto kind) { outputs = kind.outputs(LayerSizes(*this, layer, features, where)); });
  return outputs;
}

}  // namespace strata::inline STRATA_RUNTIME::io
