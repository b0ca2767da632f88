#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <strata/io/common/element.hpp>
#include <strata/language/algorithms.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME::io {

/// A value that a pickle has built. Parts are places in the list of all values.
struct PickleValue {
  enum class Kind {
    none,
    boolean,
    whole,
    real,
    text,
    list,
    dictionary,
    name,
    storage,
    tensor,
    opaque
  };

  Kind kind = Kind::none;
  std::int64_t whole = 0;
  double real = 0;
  /// Of a text; of a name, "torch.FloatStorage"; of a storage and a tensor, the entry of the
  /// archive.
  std::string text = {};
  /// Of a list or tuple; of a dictionary keys and values in turns; of a tensor its sizes and then
  /// its strides, as wholes.
  std::vector<std::size_t> parts = {};
  /// Of a storage and of a tensor.
  Element element = Element::float32;
  /// Of a tensor: the number of the storage with which it begins. Of a storage: its length.
  std::int64_t offset = 0;
};

/// All values of a pickle, and the last of them, which is the result.
struct Pickle {
  std::vector<PickleValue> values;
  std::size_t result = 0;

  [[nodiscard]] const PickleValue& operator[](std::size_t place) const { return values[place]; }
};

/// What a name of Python in a pickle is good for: it rebuilds tensors, or it is plain data beside
/// them whose contents nobody needs, or it is unknown.
enum class PickleName { rebuilds, plain, unknown };

[[nodiscard]] inline PickleName kind_of_name(std::string_view name) {
  static constexpr std::array<std::string_view, 4> rebuild = {
      "collections.OrderedDict", "torch._utils._rebuild_tensor_v2",
      "torch._utils._rebuild_parameter", "torch.Size"};
  static constexpr std::array<std::string_view, 14> plain = {
      "collections.defaultdict",
      "collections.Counter",
      "builtins.set",
      "builtins.dict",
      "argparse.Namespace",
      "pathlib.PosixPath",
      "torch.device",
      "torch.float16",
      "torch.bfloat16",
      "torch.float32",
      "torch.float64",
      "torch.int64",
      "lightning.fabric.utilities.data.AttributeDict",
      "pytorch_lightning.utilities.parsing.AttributeDict"};
  const bool is_storage = name.starts_with("torch.") && name.ends_with("Storage");
  if (is_storage || detail::contains(rebuild, name)) return PickleName::rebuilds;
  if (detail::contains(plain, name)) return PickleName::plain;
  return PickleName::unknown;
}

/// The type of the numbers in a storage of PyTorch; nothing for types that are not read.
[[nodiscard]] inline std::optional<Element> element_of_torch_storage(std::string_view name) {
  static constexpr std::array<std::pair<std::string_view, Element>, 10> kinds = {
      {{"torch.FloatStorage", Element::float32},
       {"torch.DoubleStorage", Element::float64},
       {"torch.HalfStorage", Element::float16},
       {"torch.BFloat16Storage", Element::bfloat16},
       {"torch.LongStorage", Element::int64},
       {"torch.IntStorage", Element::int32},
       {"torch.ShortStorage", Element::int16},
       {"torch.CharStorage", Element::int8},
       {"torch.ByteStorage", Element::uint8},
       {"torch.BoolStorage", Element::boolean}}};
  for (const auto& [kind, element] : kinds) {
    if (kind == name) return element;
  }
  return std::nullopt;
}

}  // namespace strata::inline STRATA_RUNTIME::io
