#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <strata/io/common/arrays.hpp>
#include <strata/io/common/element.hpp>
#include <strata/io/common/source.hpp>
#include <strata/io/common/where.hpp>
#include <strata/io/torch/pickle.hpp>
#include <strata/io/torch/zip.hpp>
#include <strata/language/checked_arithmetic.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

// The files of torch.save, .pt, .pth and Lightning's .ckpt: zip archives of a pickle and of the
// numbers of each storage.

namespace strata::inline STRATA_RUNTIME::io {

/// Reads the tensors of an archive of torch.save.
class TorchArchive {
 public:
  /// Throws FormatError on other archives, such as those of torch.jit.save.
  TorchArchive(const Source& source)
      : where_(source.where()),
        size_(source.bytes().size()),
        zip_(source.bytes(), where_),
        prefix_(find_prefix()) {
    if (zip_.contains(prefix_ + "constants.pkl")) {
      where_.refuse(
          "this is TorchScript, which torch.jit.save writes, and holds code; write the tensors "
          "alone: torch.save(model.state_dict(), \"model.pt\")");
    }
    const std::string order = prefix_ + "byteorder";
    if (zip_.contains(order)) {
      const auto bytes = zip_.read(order);
      const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
      if (text != "little") where_.in("byteorder").expected("little", in_quotes(text));
    }
    const std::string pickle = prefix_ + "data.pkl";
    pickle_ = PickleReader(zip_.read(pickle), where_.in("data.pkl")).read();
  }

  /// Calls f(name, array) for each tensor of the state_dict, in the order of the file, or
  /// f(name, element, sizes, bytes) where its numbers do not lie in one run. Throws FormatError
  /// where the file has no state_dict, or several, and on tensors that leave their storage.
  template <class F>
  void for_each_tensor(F f) {
    const PickleValue& tensors = state_dict();
    for (std::size_t i = 0; i + 1 < tensors.parts.size(); i += 2) {
      const std::string& name = pickle_[tensors.parts[i]].text;
      add(name, pickle_[tensors.parts[i + 1]], f);
    }
  }

 private:
  using Kind = PickleValue::Kind;

  [[nodiscard]] std::string find_prefix() const {
    constexpr std::string_view pickle = "data.pkl";
    for (const auto& [name, entry] : zip_.entries()) {
      if (name.ends_with(pickle) &&
          (name.size() == pickle.size() || name[name.size() - pickle.size() - 1] == '/')) {
        return name.substr(0, name.size() - pickle.size());
      }
    }
    for (const auto& [name, entry] : zip_.entries()) {
      if (name.ends_with("archive_format") || name == "serialized_exported_program.json") {
        where_.refuse(
            "this is a program of torch.export, which torch.export.save writes; write the tensors "
            "alone: torch.save(torch.export.load(\"model.pt2\").state_dict, \"model.pt\")");
      }
    }
    where_.refuse("this zip archive has no data.pkl, so torch.save has not written it");
  }

  /// Whether all values of a dictionary are tensors, and all keys texts.
  [[nodiscard]] bool has_tensors(const PickleValue& value) const {
    if (value.kind != Kind::dictionary || value.parts.empty()) return false;
    for (std::size_t i = 0; i + 1 < value.parts.size(); i += 2) {
      if (pickle_[value.parts[i]].kind != Kind::text ||
          pickle_[value.parts[i + 1]].kind != Kind::tensor) {
        return false;
      }
    }
    return true;
  }

  /// The dictionary of tensors: the result itself, or the one that a checkpoint has under a usual
  /// name.
  [[nodiscard]] const PickleValue& state_dict() const {
    const PickleValue& result = pickle_[pickle_.result];
    if (has_tensors(result)) return result;
    if (result.kind != Kind::dictionary) {
      where_.refuse(
          "this holds no state_dict; write one: torch.save(model.state_dict(), \"model.pt\")");
    }
    std::vector<std::pair<std::string, const PickleValue*>> found;
    for (std::size_t i = 0; i + 1 < result.parts.size(); i += 2) {
      const PickleValue& value = pickle_[result.parts[i + 1]];
      if (has_tensors(value)) found.emplace_back(pickle_[result.parts[i]].text, &value);
    }
    for (const char* usual : {"state_dict", "model_state_dict"}) {
      for (const auto& [key, value] : found) {
        if (key == usual) return *value;
      }
    }
    if (found.size() == 1) return *found.front().second;
    std::vector<std::string> keys;
    for (const auto& [key, value] : found) keys.push_back(key);
    if (keys.empty()) {
      where_.refuse(
          "this checkpoint holds no dictionary of tensors; write one: "
          "torch.save(model.state_dict(), \"model.pt\")");
    }
    where_.refuse("this checkpoint holds several dictionaries of tensors: " + list_text(keys) +
                  "; write one of them alone: torch.save(checkpoint[\"" + keys.front() +
                  "\"], \"model.pt\")");
  }

  template <class F>
  void add(const std::string& name, const PickleValue& tensor, F f) {
    const Where here = where_.in(in_quotes(name));
    const std::size_t rank = tensor.parts.size() / 2;
    std::vector<Index> sizes, strides;
    for (std::size_t i = 0; i < rank; ++i) {
      sizes.push_back(static_cast<Index>(pickle_[tensor.parts[i]].whole));
      strides.push_back(static_cast<Index>(pickle_[tensor.parts[rank + i]].whole));
    }
    const std::size_t count = checked_count(sizes, here);
    const std::size_t width = size_of(tensor.element);
    // Tensors may share a storage, as tied weights do, but each of them takes memory in the model.
    if (detail::add_overflows(total_, count * width, total_) || total_ > most_shared_ * size_) {
      where_.refuse("the tensors have far more numbers than the file");
    }
    const auto storage = zip_.read(prefix_ + "data/" + tensor.text);
    const std::uint64_t numbers = storage.size() / width;
    // The last number that the tensor reads, and whether it reads the storage in one run.
    std::uint64_t last = static_cast<std::uint64_t>(tensor.offset);
    bool is_plain = true;
    Index expected = 1;
    for (std::size_t i = rank; count > 0 && i-- > 0;) {
      if (sizes[i] > 1) is_plain = is_plain && strides[i] == expected;
      expected *= sizes[i];
      std::uint64_t reach = 0;
      if (detail::multiply_overflows(static_cast<std::uint64_t>(strides[i]),
                                     static_cast<std::uint64_t>(sizes[i] - 1), reach) ||
          detail::add_overflows(last, reach, last)) {
        here.refuse("reaches beyond its storage");
      }
    }
    if (count > 0 && last >= numbers) here.refuse("reaches beyond its storage");
    if (is_plain) {
      const std::size_t first = count == 0 ? 0 : static_cast<std::size_t>(tensor.offset) * width;
      return f(name, ArrayView{tensor.element, sizes, storage.subspan(first, count * width)});
    }
    // A tensor with large strides may have more numbers than its storage.
    if (count > numbers) here.refuse("has more numbers than its storage");
    std::vector<std::byte> copy(count * width);
    std::vector<Index> place(rank, 0);
    for (std::size_t i = 0; i < count; ++i) {
      std::size_t from = static_cast<std::size_t>(tensor.offset);
      for (std::size_t axis = 0; axis < rank; ++axis) {
        from += static_cast<std::size_t>(place[axis] * strides[axis]);
      }
      std::copy_n(storage.data() + from * width, width, copy.data() + i * width);
      for (std::size_t axis = rank; axis-- > 0;) {
        if (++place[axis] < sizes[axis]) break;
        place[axis] = 0;
      }
    }
    f(name, tensor.element, sizes, std::move(copy));
  }

  static constexpr std::size_t most_shared_ = 16;

  Where where_;
  std::size_t size_;
  /// The bytes of the tensors so far.
  std::size_t total_ = 0;
  StoredZip zip_;
  std::string prefix_;
  Pickle pickle_;
};

/// Adds the tensors of an archive to `arrays`, whose views need the bytes of the source. Returns
/// their names in the order of the file. Throws what TorchArchive throws.
[[nodiscard]] inline std::vector<std::string> read_torch_archive(const Source& source,
                                                                 NamedArrays& arrays) {
  struct Adder {
    NamedArrays& arrays;
    std::vector<std::string>& order;
    void operator()(const std::string& name, ArrayView array) const {
      arrays.add(name, std::move(array));
      order.push_back(name);
    }
    void operator()(const std::string& name, Element element, std::vector<Index> shape,
                    std::vector<std::byte> bytes) const {
      arrays.add(name, element, std::move(shape), std::move(bytes));
      order.push_back(name);
    }
  };
  std::vector<std::string> order;
  TorchArchive(source).for_each_tensor(Adder{arrays, order});
  return order;
}

}  // namespace strata::inline STRATA_RUNTIME::io
