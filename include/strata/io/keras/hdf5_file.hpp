#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
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
#include <strata/io/keras/hdf5_types.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_TARGET::io {

/// An HDF5 file in memory, as far as Keras' files go: groups, arrays of numbers in one piece,
/// attributes of text, in the layout that h5py writes unless told otherwise. The HDF5 library reads
/// more, but damaged files make it crash. Everything throws FormatError. Names of the
/// specification, https://docs.hdfgroup.org/documentation/hdf5/latest/_f_m_t3.html, are in quotes.
/// Longer than other headers, because groups, arrays and attributes are read from the same objects.
class Hdf5File {
 public:
  /// The bytes must outlive it.
  Hdf5File(std::span<const std::byte> bytes, Where where) : where_(std::move(where)), all_(bytes) {
    Hdf5Bytes head(bytes, where_);
    head.skip(8);
    const unsigned version = head.byte();
    if (version == 2 || version == 3) refuse_newer_hdf5(where_);
    head.require_version("superblock", version, 0, 1);
    head.skip(4);
    if (head.byte() != 8 || head.byte() != 8) where_.refuse("HDF5 addresses are not of 8 bytes");
    head.skip(version == 0 ? 9 : 13);
    if (head.word<std::uint64_t>() != 0) where_.refuse("the HDF5 file does not begin at its begin");
    head.skip(8);
    if (head.word<std::uint64_t>() > bytes.size()) {
      where_.refuse("the HDF5 file is damaged: its end is cut off");
    }
    // The driver, and the offset of the root's name.
    head.skip(16);
    root_ = head.word<std::uint64_t>();
  }

  [[nodiscard]] static bool is_hdf5(std::span<const std::byte> bytes) {
    static constexpr char signature[] = "\x89HDF\r\n\x1a\n";
    return bytes.size() >= 8 && std::memcmp(bytes.data(), signature, 8) == 0;
  }

  [[nodiscard]] const Where& where() const noexcept { return where_; }

  /// Whether there is a group at a path of groups.
  [[nodiscard]] bool has_group(const std::string& path) const {
    const auto object = find(path);
    return object && message(*object, symbol_table).has_value();
  }

  /// The text of an attribute of an object; nothing when there is none of this name.
  [[nodiscard]] std::optional<std::string> text(const std::string& object,
                                                const std::string& name) const {
    auto all = texts(object, name);
    if (!all) return std::nullopt;
    if (all->size() != 1) place(object).in(in_quotes(name)).expected("one text", "several");
    return std::move(all->front());
  }

  /// The texts of an attribute; nothing when there is none of this name.
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

  /// Reads every array below a group, "layers/lstm/cell/vars/0", but for those of which
  /// leave_out(path) is true.
  void read_arrays(const std::string& group, NamedArrays& arrays,
                   const std::function<bool(const std::string&)>& leave_out) {
    const auto object = find(group);
    if (!object) place(group).refuse("there is no such group");
    read_group(group == "/" ? "" : group, *object, 0, arrays, leave_out);
  }

 private:
  /// Types of "header messages".
  static constexpr unsigned dataspace = 0x01;
  static constexpr unsigned datatype = 0x03;
  static constexpr unsigned external_files = 0x07;
  static constexpr unsigned layout = 0x08;
  static constexpr unsigned filters = 0x0b;
  static constexpr unsigned attribute = 0x0c;
  static constexpr unsigned continuation = 0x10;
  static constexpr unsigned symbol_table = 0x11;

  struct Message {
    unsigned type = 0;
    std::span<const std::byte> bytes;
  };
  using Object = std::vector<Message>;

  static constexpr std::size_t max_objects = 20'000;
  static constexpr int max_depth = 32;
  static constexpr std::uint64_t symbol_size = 40;

  [[nodiscard]] Where place(const std::string& path) const {
    return path == "/" || path.empty() ? where_ : where_.in(path);
  }

  /// The bytes from an address on, `count` at most.
  [[nodiscard]] Hdf5Bytes at(std::uint64_t address, const Where& where,
                             std::uint64_t count = UINT64_MAX) const {
    if (address > all_.size()) where.refuse("the HDF5 file is damaged: it points out of itself");
    const auto rest = all_.subspan(static_cast<std::size_t>(address));
    return {rest.first(static_cast<std::size_t>(std::min<std::uint64_t>(count, rest.size()))),
            where};
  }

  [[nodiscard]] static std::string text_of(std::span<const std::byte> bytes) {
    const auto* const begin = reinterpret_cast<const char*>(bytes.data());
    return {begin, std::find(begin, begin + bytes.size(), '\0')};
  }

  /// The messages of the "object header" at an address.
  [[nodiscard]] Object object_at(std::uint64_t address, const Where& where) const {
    Hdf5Bytes head = at(address, where);
    if (head.left() >= 4 && std::memcmp(head.rest().data(), "OHDR", 4) == 0) {
      refuse_newer_hdf5(where);
    }
    head.require_version("object header", head.byte(), 1, 1);
    head.skip(1);
    std::size_t count = head.word<std::uint16_t>();
    head.skip(4);
    const auto size = head.word<std::uint32_t>();
    head.skip(4);
    Object object;
    std::vector<Hdf5Bytes> blocks = {{head.take(size), where}};
    // Each block but the first costs a message, of which there are no more than counted.
    for (std::size_t block = 0; block < blocks.size(); ++block) {
      Hdf5Bytes bytes = blocks[block];
      while (count > 0 && bytes.left() >= 8) {
        --count;
        const unsigned type = bytes.word<std::uint16_t>();
        const auto length = bytes.word<std::uint16_t>();
        const unsigned flags = bytes.byte();
        bytes.skip(3);
        const auto content = bytes.take(length);
        if ((flags & 2) != 0) where.refuse("shared messages of HDF5 are not read");
        if (type == continuation) {
          Hdf5Bytes more(content, where);
          const auto next = more.word<std::uint64_t>();
          const auto next_size = more.word<std::uint64_t>();
          blocks.emplace_back(at(next, where).take(next_size), where);
        } else {
          object.push_back({type, content});
        }
      }
    }
    return object;
  }

  [[nodiscard]] static std::optional<std::span<const std::byte>> message(const Object& object,
                                                                         unsigned type) {
    for (const Message& one : object) {
      if (one.type == type) return one.bytes;
    }
    return std::nullopt;
  }

  /// The addresses of the members of a group by their names.
  [[nodiscard]] std::map<std::string, std::uint64_t> members(const Object& group,
                                                             const Where& where) const {
    const auto table = message(group, symbol_table);
    if (!table) refuse_newer_hdf5(where);
    Hdf5Bytes bytes(*table, where);
    std::vector<std::uint64_t> nodes = {bytes.word<std::uint64_t>()};
    Hdf5Bytes heap = at(bytes.word<std::uint64_t>(), where);
    heap.require("HEAP");
    heap.skip(4);
    const auto heap_size = heap.word<std::uint64_t>();
    heap.skip(8);
    const std::uint64_t heap_data = heap.word<std::uint64_t>();
    const auto names = at(heap_data, where).take(heap_size);

    std::map<std::string, std::uint64_t> found;
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      if (nodes.size() > max_objects) where.refuse("the group has too many members");
      Hdf5Bytes node = at(nodes[i], where);
      if (node.left() >= 4 && std::memcmp(node.rest().data(), "SNOD", 4) == 0) {
        add_symbols(node, names, found);
        continue;
      }
      node.require("TREE");
      if (node.byte() != 0) where.expected("an HDF5 tree of groups", "another tree");
      node.skip(1);
      const auto children = node.word<std::uint16_t>();
      node.skip(16);
      for (unsigned child = 0; child < children; ++child) {
        // A key before each.
        node.skip(8);
        nodes.push_back(node.word<std::uint64_t>());
      }
    }
    return found;
  }

  /// The entries of a "symbol table node".
  void add_symbols(Hdf5Bytes& node, std::span<const std::byte> names,
                   std::map<std::string, std::uint64_t>& found) const {
    node.skip(4);
    node.require_version("symbol table", node.byte(), 1, 1);
    node.skip(1);
    const auto count = node.word<std::uint16_t>();
    for (unsigned i = 0; i < count; ++i) {
      spend(symbol_size);
      const auto name = node.word<std::uint64_t>();
      const auto address = node.word<std::uint64_t>();
      const auto kind = node.word<std::uint32_t>();
      node.skip(20);
      if (name >= names.size()) node.where().refuse("a member of the group has no name");
      const std::string text = text_of(names.subspan(static_cast<std::size_t>(name)));
      if (text.empty() || text.find('/') != std::string::npos) {
        node.where().refuse("has a member with a name that is none: " + in_quotes(text));
      }
      if (kind > 1) {
        node.where().in(text).refuse(
            "is a link to another place or file, which is not followed; write the array itself");
      }
      if (found.size() >= max_objects || !found.emplace(text, address).second) {
        node.where().refuse("has two members of one name, or too many");
      }
    }
  }

  /// The object at a path of groups, "/" or "layers/lstm".
  [[nodiscard]] std::optional<Object> find(const std::string& path) const {
    Object object = object_at(root_, where_);
    std::size_t begin = path == "/" ? 1 : 0;
    while (begin < path.size()) {
      const std::size_t end = std::min(path.find('/', begin), path.size());
      if (!message(object, symbol_table)) return std::nullopt;
      const auto inner = members(object, place(path));
      const auto found = inner.find(path.substr(begin, end - begin));
      if (found == inner.end()) return std::nullopt;
      object = object_at(found->second, place(path));
      begin = end + 1;
    }
    return object;
  }

  void read_group(const std::string& path, const Object& group, int depth, NamedArrays& arrays,
                  const std::function<bool(const std::string&)>& leave_out) {
    if (depth >= max_depth) place(path).refuse("groups are nested too deep");
    for (const auto& [name, address] : members(group, place(path))) {
      const std::string inner = path.empty() ? name : path + "/" + name;
      if (leave_out(inner)) continue;
      if (++objects_ > max_objects) place(path).refuse("there are too many objects");
      const Object object = object_at(address, where_.in(inner));
      if (message(object, dataspace)) {
        read_array(inner, object, arrays);
      } else {
        read_group(inner, object, depth + 1, arrays, leave_out);
      }
    }
  }

  void read_array(const std::string& path, const Object& object, NamedArrays& arrays) {
    const Where here = where_.in(path);
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
    // As Keras writes it: bytes that HDF5 does not understand, with the name of their type.
    if (type.kind == Hdf5Type::Kind::bytes && type.size == 2 && text(path, "dtype") == "bfloat16") {
      return Element::bfloat16;
    }
    here.expected("numbers of float16, bfloat16, float32 or float64",
                  type.text() + " of " + std::to_string(type.size) + " bytes");
  }

  /// The bytes of an array.
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
    const auto after = arrays_.lower_bound(address);
    if ((after != arrays_.end() && after->first < address + size) ||
        (after != arrays_.begin() && std::prev(after)->second > address)) {
      bytes.where().refuse("the array overlaps another one");
    }
    arrays_.emplace_hint(after, address, address + size);
    return content;
  }

  static void require_stored(std::uint64_t stored, std::uint64_t size, const Where& where) {
    if (stored == size) return;
    where.refuse("the array of " + std::to_string(size) + " bytes is not in the file, which has " +
                 std::to_string(stored) + " for it");
  }

  /// The parts of a file may refer to each other in more ways than it has bytes.
  void spend(std::uint64_t work) const {
    constexpr std::uint64_t for_each_byte = 256;
    spent_ += work;
    if (spent_ / for_each_byte > all_.size())
      where_.refuse("the HDF5 file refers to itself too often");
  }

  /// The values of an attribute.
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

  /// A text of the "global heap": its length, the address of a collection, its number there.
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

  Where where_;
  std::span<const std::byte> all_;
  std::uint64_t root_ = 0;
  std::size_t objects_ = 0;
  /// The arrays that were read: begins and ends.
  std::map<std::uint64_t, std::uint64_t> arrays_;
  mutable std::uint64_t spent_ = 0;
};

}  // namespace strata::inline STRATA_TARGET::io
