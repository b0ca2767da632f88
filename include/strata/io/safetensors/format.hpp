#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <strata/io/common/arrays.hpp>
#include <strata/io/common/atomic_file.hpp>
#include <strata/io/common/element.hpp>
#include <strata/io/common/json.hpp>
#include <strata/io/common/object_reader.hpp>
#include <strata/io/common/path.hpp>
#include <strata/io/common/source.hpp>
#include <strata/target.hpp>

// The safetensors format, https://huggingface.co/docs/safetensors. A file has three parts: the
// length of the header, in 8 bytes; the header, JSON with type, sizes and place of each tensor; the
// bytes of the tensors.

namespace strata::inline STRATA_RUNTIME::io {

/// The types of numbers by their names in safetensors.
inline constexpr std::pair<const char*, Element> safetensors_types[] = {
    {"F16", Element::float16}, {"BF16", Element::bfloat16}, {"F32", Element::float32},
    {"F64", Element::float64}, {"I8", Element::int8},       {"I16", Element::int16},
    {"I32", Element::int32},   {"I64", Element::int64},     {"U8", Element::uint8},
    {"U16", Element::uint16},  {"U32", Element::uint32},    {"U64", Element::uint64},
    {"BOOL", Element::boolean}};

/// The content of a safetensors file. The arrays view the bytes of the source, which must outlive
/// this struct.
struct SafetensorsFile {
  NamedArrays arrays;
  std::map<std::string, std::string> metadata;
};

/// The longest header that is read, in bytes. The format's own library has the same limit.
inline constexpr std::uint64_t max_safetensors_header = 100'000'000;

[[nodiscard]] inline Element safetensors_type(const std::string& type, const Where& where) {
  for (const auto& [name, element] : safetensors_types) {
    if (type == name) return element;
  }
  where.expected("a type that strata reads", in_quotes(type));
}

[[nodiscard]] inline const char* safetensors_name(Element element) {
  return std::find_if(std::begin(safetensors_types), std::end(safetensors_types),
                      [&](const auto& type) { return type.second == element; })
      ->first;
}

/// The header's entry of a tensor. The tensor's bytes are [begin, end), counted from the end of the
/// header.
struct SafetensorsEntry {
  std::string name;
  Element element;
  std::vector<Index> shape;
  std::uint64_t begin;
  std::uint64_t end;
};

/// Reads the header's entry of a tensor. Throws FormatError unless the tensor lies within the
/// `size` bytes after the header and is as long as its type and sizes say.
[[nodiscard]] inline SafetensorsEntry safetensors_entry(const std::string& name, const Json& json,
                                                        std::uint64_t size, const Where& where) {
  ObjectReader reader(json, where);
  const Element element = safetensors_type(reader.get<std::string>("dtype"), reader.where("dtype"));
  auto shape = reader.get<std::vector<Index>>("shape");
  const auto offsets = reader.get<std::vector<Index>>("data_offsets");
  reader.finish();
  if (offsets.size() != 2 || offsets[0] < 0 || offsets[1] < offsets[0] ||
      static_cast<std::uint64_t>(offsets[1]) > size) {
    where.in("data_offsets")
        .expected("a begin and an end within " + std::to_string(size) + " bytes",
                  sizes_text(offsets));
  }
  const auto begin = static_cast<std::uint64_t>(offsets[0]);
  const auto end = static_cast<std::uint64_t>(offsets[1]);
  check_bytes(shape, element, end - begin, where);
  return {name, element, std::move(shape), begin, end};
}

/// Throws FormatError unless the tensors cover `size` bytes without gaps and overlaps.
inline void require_covered(std::vector<const SafetensorsEntry*> entries, std::uint64_t size,
                            const Where& where) {
  std::sort(entries.begin(), entries.end(),
            [](const SafetensorsEntry* a, const SafetensorsEntry* b) {
              return std::pair(a->begin, a->end) < std::pair(b->begin, b->end);
            });
  std::uint64_t at = 0;
  for (const SafetensorsEntry* entry : entries) {
    if (entry->begin != at) {
      where.in(in_quotes(entry->name))
          .expected("its data to begin at " + std::to_string(at) + ", where that before ends",
                    std::to_string(entry->begin));
    }
    at = entry->end;
  }
  if (at != size) {
    where.expected("the tensors to end with the file, after " + std::to_string(size) + " bytes",
                   std::to_string(at));
  }
}

/// Reads a file. Throws FormatError unless the header is whole, every tensor is as long as its type
/// and sizes say, and the tensors cover the rest of the file without gaps and overlaps. The header
/// is checked before the tensors are read, so that a damaged file of any size costs no memory.
[[nodiscard]] inline SafetensorsFile read_safetensors(const Source& source) {
  const Where where = source.where();
  const std::uint64_t size = source.size();
  if (size < 8) {
    where.expected("a safetensors file of 8 bytes or more", std::to_string(size) + " bytes");
  }
  const auto length = read_word<std::uint64_t>(source.head(8).data());
  if (length > max_safetensors_header || length > size - 8) {
    where.in("header length")
        .expected("at most the " + std::to_string(size - 8) + " bytes that follow",
                  std::to_string(length) + "; this may be no safetensors file");
  }
  const auto begin = static_cast<std::size_t>(8 + length);
  const auto head = source.head(begin);
  const std::string_view text(reinterpret_cast<const char*>(head.data()), head.size());
  const Json header = parse_json(text.substr(8), where.in("header"));
  if (!header.is_object()) where.in("header").expected("an object", found_text(header));

  SafetensorsFile file{NamedArrays(where), {}};
  std::vector<SafetensorsEntry> entries;
  for (const auto& [name, json] : header.items()) {
    if (name != "__metadata__") {
      entries.push_back(safetensors_entry(name, json, size - begin, where.in(in_quotes(name))));
      continue;
    }
    if (!json.is_object()) where.in(name).expected("an object", found_text(json));
    for (const auto& [key, value] : json.items()) {
      file.metadata[key] = read_string(value, where.in(name).in(in_quotes(key)));
    }
  }
  std::vector<const SafetensorsEntry*> list;
  for (const SafetensorsEntry& entry : entries) list.push_back(&entry);
  require_covered(std::move(list), size - begin, where);
  const auto bytes = source.bytes();
  if (bytes.size() != size) where.refuse("the file changed while it was read");
  for (SafetensorsEntry& entry : entries) {
    const auto data = bytes.subspan(begin + static_cast<std::size_t>(entry.begin),
                                    static_cast<std::size_t>(entry.end - entry.begin));
    file.arrays.add(entry.name, {entry.element, std::move(entry.shape), data});
  }
  return file;
}

/// Collects tensors and metadata, and writes a file of them.
class SafetensorsWriter {
 public:
  std::map<std::string, std::string> metadata;

  SafetensorsWriter() = default;
  SafetensorsWriter(SafetensorsWriter&&) = default;
  SafetensorsWriter& operator=(SafetensorsWriter&&) = default;

  /// Adds a tensor of float, double or std::int64_t, as a copy.
  template <class Number>
  void add(const std::string& name, std::vector<Index> shape, std::span<const Number> numbers) {
    std::vector<std::byte>& bytes = storage_.emplace_back(numbers.size() * sizeof(Number));
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      write_scalar(numbers[i], bytes.data() + i * sizeof(Number));
    }
    entries_.push_back({name, element_of<Number>(), std::move(shape), bytes});
  }

  /// Adds a tensor of 16-bit numbers, given as their bits.
  void add(const std::string& name, Element element, std::vector<Index> shape,
           std::span<const std::uint16_t> words) {
    std::vector<std::byte>& bytes = storage_.emplace_back(words.size() * sizeof(std::uint16_t));
    for (std::size_t i = 0; i < words.size(); ++i) {
      write_word(words[i], bytes.data() + i * sizeof(std::uint16_t));
    }
    entries_.push_back({name, element, std::move(shape), bytes});
  }

  /// Adds a tensor without a copy: the numbers must outlive the writer.
  template <class Number>
  void add_view(const std::string& name, std::vector<Index> shape,
                std::span<const Number> numbers) {
    if constexpr (std::endian::native == std::endian::little) {
      entries_.push_back({name, element_of<Number>(), std::move(shape), std::as_bytes(numbers)});
    } else {
      add(name, std::move(shape), numbers);
    }
  }

  /// Writes the whole file by several calls of out.write(bytes). Tensors are sorted by the size of
  /// one number, 8 bytes first, so that every tensor is aligned.
  template <class Out>
  void write_to(Out& out) const {
    std::vector<const Entry*> order;
    for (const Entry& entry : entries_) order.push_back(&entry);
    std::stable_sort(order.begin(), order.end(), [](const Entry* a, const Entry* b) {
      return size_of(a->element) > size_of(b->element);
    });
    const std::string text = header(order);
    std::array<std::byte, 8> length;
    write_word(static_cast<std::uint64_t>(text.size()), length.data());
    out.write(std::span<const std::byte>(length));
    out.write(std::as_bytes(std::span(text)));
    for (const Entry* entry : order) out.write(entry->bytes);
  }

  /// The whole file in memory.
  [[nodiscard]] std::vector<std::byte> bytes() const {
    struct {
      std::vector<std::byte> bytes;
      void write(std::span<const std::byte> more) {
        bytes.insert(bytes.end(), more.begin(), more.end());
      }
    } file;
    std::size_t size = 0;
    for (const Entry& entry : entries_) size += entry.bytes.size() + bytes_of_an_entry;
    file.bytes.reserve(size);
    write_to(file);
    return std::move(file.bytes);
  }

  /// Writes the file, which is there whole or not at all. Throws FileError; see AtomicFile.
  void write_file(const Path& path) const {
    AtomicFile file(path);
    write_to(file);
    file.commit();
  }

 private:
  struct Entry {
    std::string name;
    Element element;
    std::vector<Index> shape;
    std::span<const std::byte> bytes;
  };

  /// About as many bytes as a tensor takes in the header, for a guess at the size of the file.
  static constexpr std::size_t bytes_of_an_entry = 128;

  [[nodiscard]] std::string header(const std::vector<const Entry*>& entries) const {
    Json json = Json::object();
    if (!metadata.empty()) json["__metadata__"] = metadata;
    std::size_t at = 0;
    for (const Entry* entry : entries) {
      const std::size_t end = at + entry->bytes.size();
      json[entry->name] = {{"dtype", safetensors_name(entry->element)},
                           {"shape", entry->shape},
                           {"data_offsets", {at, end}}};
      at = end;
    }
    std::string text = json.dump();
    text.resize((text.size() + 7) / 8 * 8, ' ');
    return text;
  }

  std::vector<Entry> entries_;
  /// The bytes of tensors that were added as copies. A list, since entries_ views them and a vector
  /// would move them as it grows.
  std::list<std::vector<std::byte>> storage_;
};

}  // namespace strata::inline STRATA_RUNTIME::io
