#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <strata/io/common/arrays.hpp>
#include <strata/io/common/element.hpp>
#include <strata/io/common/where.hpp>
#include <strata/io/keras/hdf5_bytes.hpp>
#include <strata/io/keras/hdf5_objects.hpp>
#include <strata/io/keras/hdf5_types.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME::io {

/// An HDF5 file in memory. It reads the parts of HDF5 that Keras' files use: groups, arrays of
/// numbers in one piece, and attributes of text, in the layout that h5py writes by default. The
/// HDF5 library reads more, but damaged files make it crash; here every function throws FormatError
/// on them.
class Hdf5File : public Hdf5Objects {
 public:
  using Hdf5Objects::Hdf5Objects;

  /// Whether the object at a path exists and is a group.
  [[nodiscard]] bool has_group(const std::string& path) const {
    const auto object = find(path);
    return object && is_group(*object);
  }

  /// The names of the members of a group.
  [[nodiscard]] std::vector<std::string> members_of(const std::string& path) const {
    const auto object = find(path);
    if (!object) place(path).refuse("there is no such group");
    std::vector<std::string> names;
    for (const auto& [name, address] : members(*object, place(path))) names.push_back(name);
    return names;
  }

  /// The one text of an attribute of an object; empty when the object has no attribute of this
  /// name.
  [[nodiscard]] std::optional<std::string> text(const std::string& object,
                                                const std::string& name) const {
    auto all = texts(object, name);
    if (!all) return std::nullopt;
    if (all->size() != 1) place(object).in(in_quotes(name)).expected("one text", "several");
    return std::move(all->front());
  }

  /// The list of texts of an attribute; empty when the object has no attribute of this name.
  [[nodiscard]] std::optional<std::vector<std::string>> texts(const std::string& object,
                                                              const std::string& name) const {
    const auto found = find(object);
    if (!found) place(object).refuse("there is no such object");
    for (const Message& one : *found) {
      if (one.type != attribute) continue;
      const Where here = place(object).in(in_quotes(name));
      Hdf5Bytes bytes(one.bytes, here);
      const unsigned version = bytes.byte();
      bytes.require_version("attribute", version, 1, 3);
      if (bytes.byte() != 0 && version > 1) here.refuse("shared types of HDF5 are not read");
      const std::uint64_t sizes[] = {bytes.word<std::uint16_t>(), bytes.word<std::uint16_t>(),
                                     bytes.word<std::uint16_t>()};
      if (version == 3) bytes.skip(1);
      const auto part = [&](std::uint64_t size) {
        return bytes.take(version == 1 ? (size + 7) / 8 * 8 : size);
      };
      const auto label = part(sizes[0]);
      if (text_of(label) != name) continue;
      const Hdf5Type type = Hdf5Type::of({part(sizes[1]), here});
      const auto shape = hdf5_sizes({part(sizes[2]), here});
      return values(type, shape ? checked_count(*shape, here) : 0, bytes);
    }
    return std::nullopt;
  }

  /// Reads all arrays below a group into `arrays`, named by their paths, such as
  /// "layers/lstm/cell/vars/0". Arrays and groups for whose path leave_out(path) is true are not
  /// read.
  void read_arrays(const std::string& group, NamedArrays& arrays,
                   const std::function<bool(const std::string&)>& leave_out) {
    const auto object = find(group);
    if (!object) place(group).refuse("there is no such group");
    read_group(group == "/" ? "" : group, *object, 0, arrays, leave_out);
  }

 private:
  static constexpr int max_depth = 32;

  void read_group(const std::string& path, const Object& group, int depth, NamedArrays& arrays,
                  const std::function<bool(const std::string&)>& leave_out) {
    if (depth >= max_depth) place(path).refuse("groups are nested too deep");
    for (const auto& [name, address] : members(group, place(path))) {
      const std::string inner = path.empty() ? name : path + "/" + name;
      if (leave_out(inner)) continue;
      if (++objects_ > max_objects) place(path).refuse("there are too many objects");
      const Object object = object_at(address, where().in(inner));
      if (message(object, dataspace)) {
        read_array(inner, object, arrays);
      } else {
        read_group(inner, object, depth + 1, arrays, leave_out);
      }
    }
  }

  void read_array(const std::string& path, const Object& object, NamedArrays& arrays) {
    const Where here = where().in(path);
    if (message(object, filters)) {
      here.refuse(
          "the array is compressed, or filtered otherwise, by HDF5, which is not read; write it "
          "without compression, as Keras does");
    }
    if (message(object, external_files)) {
      here.refuse("the array lies in another file, which is not read; write it into this one");
    }
    const auto type_message = message(object, datatype);
    const auto place_message = message(object, layout);
    if (!type_message || !place_message)
      here.refuse("the HDF5 file is damaged: an array of nothing");
    const Hdf5Type type = Hdf5Type::of({*type_message, here});
    const auto sizes = hdf5_sizes({*message(object, dataspace), here});
    if (!sizes) here.expected("an array", "something without sizes");
    const Element element = element_of(type, path, here);
    const std::uint64_t size = checked_count(*sizes, here) * size_of(element);
    const auto bytes = content({*place_message, here}, size);
    std::vector<std::byte> numbers(bytes.begin(), bytes.end());
    if (type.big_endian) swap_bytes(numbers, size_of(element));
    arrays.add(path, element, *sizes, std::move(numbers));
  }

  [[nodiscard]] Element element_of(const Hdf5Type& type, const std::string& path,
                                   const Where& here) const {
    if (type.kind == Hdf5Type::Kind::number) return type.element;
    // HDF5 has no bfloat16. Keras writes it as opaque bytes with an attribute that names the type.
    if (type.kind == Hdf5Type::Kind::bytes && type.size == 2 && text(path, "dtype") == "bfloat16") {
      return Element::bfloat16;
    }
    here.expected("numbers of float16, bfloat16, float32 or float64",
                  type.text() + " of " + std::to_string(type.size) + " bytes");
  }

  /// The bytes of an array's elements, `size` in number, from the "data layout" message of the
  /// array. Arrays may not overlap, or a small file could hold arrays of any total size.
  [[nodiscard]] std::span<const std::byte> content(Hdf5Bytes bytes, std::uint64_t size) {
    bytes.require_version("layout", bytes.byte(), 3, 4);
    const unsigned kind = bytes.byte();
    if (kind == 0) {
      const auto stored = bytes.word<std::uint16_t>();
      require_stored(stored, size, bytes.where());
      spend(size);
      return bytes.take(size);
    }
    if (kind != 1) {
      bytes.where().refuse(
          "the array is in pieces (chunks, or a virtual dataset), which is not read; write it in "
          "one piece, as Keras does");
    }
    const auto address = bytes.word<std::uint64_t>();
    const auto stored = bytes.word<std::uint64_t>();
    if (size == 0) return {};
    require_stored(address == UINT64_MAX ? 0 : stored, size, bytes.where());
    const auto content = at(address, bytes.where()).take(size);
    const auto after = array_ends_.lower_bound(address);
    if ((after != array_ends_.end() && after->first < address + size) ||
        (after != array_ends_.begin() && std::prev(after)->second > address)) {
      bytes.where().refuse("the array overlaps another one");
    }
    array_ends_.emplace_hint(after, address, address + size);
    return content;
  }

  static void require_stored(std::uint64_t stored, std::uint64_t size, const Where& where) {
    if (stored == size) return;
    where.refuse("the array of " + std::to_string(size) + " bytes is not in the file, which has " +
                 std::to_string(stored) + " for it");
  }

  /// The texts of an attribute; `count` is their number.
  [[nodiscard]] std::vector<std::string> values(const Hdf5Type& type, std::size_t count,
                                                Hdf5Bytes& bytes) const {
    std::vector<std::string> texts;
    for (std::size_t i = 0; i < count; ++i) {
      if (type.kind == Hdf5Type::Kind::fixed_text && type.size > 0) {
        spend(type.size);
        texts.push_back(text_of(bytes.take(type.size)));
      } else if (type.kind == Hdf5Type::Kind::text) {
        texts.push_back(heap_text(bytes));
      } else {
        bytes.where().expected("text", "another type");
      }
    }
    return texts;
  }

  /// A text in the "global heap". `bytes` hold the text's length, the address of a heap collection,
  /// and the number of the text in that collection.
  [[nodiscard]] std::string heap_text(Hdf5Bytes& bytes) const {
    const auto length = bytes.word<std::uint32_t>();
    const auto address = bytes.word<std::uint64_t>();
    const auto number = bytes.word<std::uint32_t>();
    spend(16 + length);
    if (length == 0) return {};
    Hdf5Bytes head = at(address, bytes.where());
    head.require("GCOL");
    head.skip(4);
    const auto size = head.word<std::uint64_t>();
    if (size < 16) bytes.where().refuse("the HDF5 file is damaged: a heap of nothing");
    Hdf5Bytes heap(head.take(size - 16), bytes.where());
    while (heap.left() >= 16) {
      spend(16);
      const auto index = heap.word<std::uint16_t>();
      heap.skip(6);
      const auto object_size = heap.word<std::uint64_t>();
      if (index == 0) break;
      if (index == number) {
        if (object_size < length) break;
        return text_of(heap.take(length));
      }
      if (object_size > heap.left()) break;
      heap.skip(std::min<std::uint64_t>((object_size + 7) / 8 * 8, heap.left()));
    }
    bytes.where().refuse("the HDF5 file is damaged: a text is missing");
  }

  static void swap_bytes(std::vector<std::byte>& values, std::size_t size) {
    for (std::size_t first = 0; first < values.size(); first += size) {
      std::reverse(values.begin() + static_cast<std::ptrdiff_t>(first),
                   values.begin() + static_cast<std::ptrdiff_t>(first + size));
    }
  }

  std::size_t objects_ = 0;
  /// The arrays read so far: the address of the first byte, and the address behind the last.
  std::map<std::uint64_t, std::uint64_t> array_ends_;
};

}  // namespace strata::inline STRATA_RUNTIME::io
