#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <strata/io/common/where.hpp>
#include <strata/io/keras/hdf5_bytes.hpp>
#include <strata/io/keras/hdf5_heap.hpp>
#include <strata/io/keras/hdf5_types.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME::io {

/// The objects of an HDF5 file in memory: a tree of groups and arrays, where each object is a list
/// of messages that describe it. Every function throws FormatError on damaged files. Names in
/// quotes are those of the specification,
/// https://docs.hdfgroup.org/documentation/hdf5/latest/_f_m_t3.html.
class Hdf5Objects {
 public:
  /// The bytes must outlive the object.
  Hdf5Objects(std::span<const std::byte> bytes, Where where)
      : where_(std::move(where)), file_bytes_(bytes) {
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
    // Passes over the driver's address and the offset of the root's name.
    head.skip(16);
    root_ = head.word<std::uint64_t>();
  }

  [[nodiscard]] static bool is_hdf5(std::span<const std::byte> bytes) {
    static constexpr char signature[] = "\x89HDF\r\n\x1a\n";
    return bytes.size() >= 8 && std::memcmp(bytes.data(), signature, 8) == 0;
  }

  [[nodiscard]] const Where& where() const noexcept { return where_; }

 protected:
  /// The numbers of the types of "header messages" that are read.
  static constexpr unsigned dataspace = 0x01;
  static constexpr unsigned link_info = 0x02;
  static constexpr unsigned datatype = 0x03;
  static constexpr unsigned link = 0x06;
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

  [[nodiscard]] Where place(const std::string& path) const {
    return path == "/" || path.empty() ? where_ : where_.in(path);
  }

  /// At most `count` bytes from an address on.
  [[nodiscard]] Hdf5Bytes at(std::uint64_t address, const Where& where,
                             std::uint64_t count = UINT64_MAX) const {
    if (address > file_bytes_.size())
      where.refuse("the HDF5 file is damaged: it points out of itself");
    const auto rest = file_bytes_.subspan(static_cast<std::size_t>(address));
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
    // Blocks that refer to each other do not loop for ever: each block after the first uses up one
    // of the counted messages.
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

  /// A group keeps its members in a symbol table, or in links where one of their names has letters
  /// beyond ASCII.
  [[nodiscard]] static bool is_group(const Object& object) {
    return message(object, symbol_table) || message(object, link_info);
  }

  /// The address of each member of a group, by the member's name.
  [[nodiscard]] std::map<std::string, std::uint64_t> members(const Object& group,
                                                             const Where& where) const {
    const auto table = message(group, symbol_table);
    if (!table) return linked_members(group, where);
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
        // Each child stands behind a key.
        node.skip(8);
        nodes.push_back(node.word<std::uint64_t>());
      }
    }
    return found;
  }

  /// The object at a path, "/" or "layers/lstm"; empty when there is none.
  [[nodiscard]] std::optional<Object> find(const std::string& path) const {
    Object object = object_at(root_, where_);
    std::size_t begin = path == "/" ? 1 : 0;
    while (begin < path.size()) {
      const std::size_t end = (std::min)(path.find('/', begin), path.size());
      if (!is_group(object)) return std::nullopt;
      const auto inner = members(object, place(path));
      const auto found = inner.find(path.substr(begin, end - begin));
      if (found == inner.end()) return std::nullopt;
      object = object_at(found->second, place(path));
      begin = end + 1;
    }
    return object;
  }

  /// Counts work against a limit for each byte of the file, and throws FormatError beyond it.
  /// Without the limit, a small file whose parts refer to each other many times could take any time
  /// to read.
  void spend(std::uint64_t work) const {
    constexpr std::uint64_t for_each_byte = 256;
    spent_ += work;
    if (spent_ / for_each_byte > file_bytes_.size())
      where_.refuse("the HDF5 file refers to itself too often");
  }

 private:
  static constexpr std::uint64_t symbol_size = 40;

  /// The members of a group with "link messages".
  [[nodiscard]] std::map<std::string, std::uint64_t> linked_members(const Object& group,
                                                                    const Where& where) const {
    const auto info = message(group, link_info);
    if (!info) refuse_newer_hdf5(where);
    Hdf5Bytes head(*info, where);
    head.require_version("link info", head.byte(), 0, 0);
    if (head.byte() != 0) refuse_newer_hdf5(where);
    const auto heap = head.word<std::uint64_t>();
    const auto tree = head.word<std::uint64_t>();
    std::map<std::string, std::uint64_t> found;
    for (const Message& one : group) {
      if (one.type == link) add_link(one.bytes, found, where);
    }
    if (heap != UINT64_MAX) {
      const Hdf5Heap links(file_bytes_, heap, tree, where);
      for (const auto bytes : links.objects()) add_link(bytes, found, where);
    }
    return found;
  }

  /// Adds the member of a "link message".
  void add_link(std::span<const std::byte> content, std::map<std::string, std::uint64_t>& found,
                const Where& where) const {
    spend(content.size());
    Hdf5Bytes bytes(content, where);
    bytes.require_version("link", bytes.byte(), 1, 1);
    const unsigned flags = bytes.byte();
    const bool has_order = (flags & 4) != 0;
    const bool is_hard = (flags & 8) == 0 || bytes.byte() == 0;
    if (!is_hard || has_order) refuse_newer_hdf5(where);
    // The encoding, ASCII or UTF-8.
    if ((flags & 16) != 0) bytes.skip(1);
    const std::uint64_t length = (flags & 3) == 0   ? bytes.byte()
                                 : (flags & 3) == 1 ? bytes.word<std::uint16_t>()
                                                    : bytes.word<std::uint32_t>();
    const std::string text = text_of(bytes.take(length));
    add_member(text, bytes.word<std::uint64_t>(), found, where);
  }

  static void add_member(const std::string& name, std::uint64_t address,
                         std::map<std::string, std::uint64_t>& found, const Where& where) {
    if (name.empty() || name.find('/') != std::string::npos) {
      where.refuse("has a member with a name that is none: " + in_quotes(name));
    }
    if (found.size() >= max_objects || !found.emplace(name, address).second) {
      where.refuse("has two members of one name, or too many");
    }
  }

  /// Adds the members in a "symbol table node" to `found`.
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
      if (kind > 1) {
        node.where().in(text).refuse(
            "is a link to another place or file, which is not followed; write the array itself");
      }
      add_member(text, address, found, node.where());
    }
  }

  Where where_;
  std::span<const std::byte> file_bytes_;
  std::uint64_t root_ = 0;
  mutable std::uint64_t spent_ = 0;
};

}  // namespace strata::inline STRATA_RUNTIME::io
