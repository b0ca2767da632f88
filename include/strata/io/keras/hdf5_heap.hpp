#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include <strata/io/common/where.hpp>
#include <strata/io/keras/hdf5_bytes.hpp>
#include <strata/language/checked_arithmetic.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME::io {

/// The objects in a "fractal heap" of an HDF5 file, listed by a "version 2 B-tree": the links of a
/// group of more than 8 members, one of which has a name with letters beyond ASCII. Every function
/// throws FormatError on damaged files, and on heaps larger than such groups have. Names in quotes
/// are those of the specification,
/// https://docs.hdfgroup.org/documentation/hdf5/latest/_f_m_t3.html.
class Hdf5Heap {
 public:
  /// `file`: the bytes of the whole file, in which `heap` and `tree` are addresses.
  Hdf5Heap(std::span<const std::byte> file, std::uint64_t heap, std::uint64_t tree, Where where)
      : file_(file), where_(std::move(where)) {
    Hdf5Bytes head = at(heap);
    head.require("FRHP");
    head.require_version("heap", head.byte(), 0, 0);
    id_size_ = head.word<std::uint16_t>();
    if (head.word<std::uint16_t>() != 0) refuse();
    // Passes over the flags, the largest size of an object, and twelve counts and addresses of free
    // space and of objects that lie elsewhere.
    head.skip(1 + 4 + 12 * 8);
    width_ = head.word<std::uint16_t>();
    first_size_ = head.word<std::uint64_t>();
    largest_size_ = head.word<std::uint64_t>();
    offset_size_ = (head.word<std::uint16_t>() + 7u) / 8;
    head.skip(2);
    root_ = head.word<std::uint64_t>();
    rows_ = head.word<std::uint16_t>();
    if (offset_size_ > 8 || id_size_ < offset_size_ + 2 || id_size_ > offset_size_ + 9 ||
        width_ == 0 || first_size_ == 0) {
      refuse();
    }
    read_tree(tree);
  }

  [[nodiscard]] const std::vector<std::span<const std::byte>>& objects() const noexcept {
    return objects_;
  }

 private:
  static constexpr std::size_t hash_size = 4;
  static constexpr std::size_t node_head = 10;

  [[noreturn]] void refuse() const {
    where_.refuse(
        "has so many members, some of which have names with letters beyond ASCII, that it is in a "
        "layout of HDF5 that is not read, or the file is damaged; save the model as .keras, where "
        "such names do not occur");
  }

  [[nodiscard]] Hdf5Bytes at(std::uint64_t address) const {
    if (address > file_.size()) where_.refuse("the HDF5 file is damaged: it points out of itself");
    return {file_.subspan(static_cast<std::size_t>(address)), where_};
  }

  /// A whole number of `size` bytes, at most 8.
  [[nodiscard]] static std::uint64_t number(Hdf5Bytes& bytes, std::size_t size) {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < size; ++i) value |= std::uint64_t{bytes.byte()} << (8 * i);
    return value;
  }

  /// A tree of one level, or of two.
  void read_tree(std::uint64_t address) {
    Hdf5Bytes head = at(address);
    head.require("BTHD");
    head.require_version("tree", head.byte(), 0, 0);
    constexpr unsigned links_by_name = 5;
    if (head.byte() != links_by_name) refuse();
    const auto node_size = head.word<std::uint32_t>();
    const auto record_size = head.word<std::uint16_t>();
    const auto depth = head.word<std::uint16_t>();
    head.skip(2);
    const auto root = head.word<std::uint64_t>();
    const auto count = head.word<std::uint16_t>();
    if (record_size != hash_size + id_size_ || depth > 1 || node_size <= node_head) refuse();
    if (count == 0) return;
    if (depth == 0) return read_leaf(root, count);
    Hdf5Bytes node = at(root);
    node.require("BTIN");
    node.skip(2);
    read_records(node, count);
    const std::uint64_t most = (node_size - node_head) / record_size;
    const std::size_t count_size = most > 255 ? 2 : 1;
    for (unsigned i = 0; i <= count; ++i) {
      const auto child = node.word<std::uint64_t>();
      const std::uint64_t records = number(node, count_size);
      if (records > most) refuse();
      read_leaf(child, records);
    }
  }

  void read_leaf(std::uint64_t address, std::uint64_t count) {
    Hdf5Bytes node = at(address);
    node.require("BTLF");
    node.skip(2);
    read_records(node, count);
  }

  void read_records(Hdf5Bytes& node, std::uint64_t count) {
    constexpr std::size_t max_objects = 20'000;
    for (std::uint64_t i = 0; i < count; ++i) {
      node.skip(hash_size);
      // The "heap ID" of an object within the heap begins with 0.
      if (node.byte() != 0 || objects_.size() >= max_objects) refuse();
      const std::uint64_t offset = number(node, offset_size_);
      objects_.push_back(object(offset, number(node, id_size_ - 1 - offset_size_)));
    }
  }

  [[nodiscard]] std::span<const std::byte> object(std::uint64_t offset, std::uint64_t size) const {
    std::uint64_t block = root_;
    std::uint64_t block_size = first_size_;
    if (rows_ > 0) {
      // The blocks of the first two rows have the first size, those of each further row twice that
      // of the row before.
      std::uint64_t row = 0;
      std::uint64_t row_size = 0;
      while (row < rows_ && block_size <= largest_size_ &&
             !detail::multiply_overflows(block_size, width_, row_size) && offset >= row_size) {
        offset -= row_size;
        if (row++ > 0) block_size *= 2;
      }
      if (row >= rows_ || block_size > largest_size_ || offset >= row_size) refuse();
      Hdf5Bytes table = at(root_);
      table.require("FHIB");
      table.skip(1 + 8 + offset_size_ + 8 * (row * width_ + offset / block_size));
      block = table.word<std::uint64_t>();
      offset %= block_size;
    }
    Hdf5Bytes bytes = at(block);
    bytes.require("FHDB");
    if (offset < 4 || offset > block_size || size > block_size - offset) refuse();
    bytes.skip(offset - 4);
    return bytes.take(size);
  }

  std::span<const std::byte> file_;
  Where where_;
  std::size_t id_size_ = 0;
  std::size_t offset_size_ = 0;
  std::uint64_t width_ = 0;
  std::uint64_t first_size_ = 0;
  std::uint64_t largest_size_ = 0;
  std::uint64_t root_ = 0;
  std::uint64_t rows_ = 0;
  std::vector<std::span<const std::byte>> objects_;
};

}  // namespace strata::inline STRATA_RUNTIME::io
