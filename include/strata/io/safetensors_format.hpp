#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <strata/io/arrays.hpp>
#include <strata/io/element.hpp>
#include <strata/io/json.hpp>
#include <strata/io/object_reader.hpp>
#include <strata/io/source.hpp>
#include <strata/target.hpp>

// The safetensors format, https://huggingface.co/docs/safetensors: the length of a header, 8 bytes;
// the header, JSON that says where each tensor is and of what type and sizes; the tensors.

namespace strata::inline STRATA_TARGET::io {

/// The names that safetensors gives to the types of numbers.
inline constexpr std::pair<const char*, Element> safetensors_types[] = {
    {"F16", Element::float16}, {"BF16", Element::bfloat16}, {"F32", Element::float32},
    {"F64", Element::float64}, {"I8", Element::int8},       {"I16", Element::int16},
    {"I32", Element::int32},   {"I64", Element::int64},     {"U8", Element::uint8},
    {"U16", Element::uint16},  {"U32", Element::uint32},    {"U64", Element::uint64},
    {"BOOL", Element::boolean}};

/// What a safetensors file holds. The arrays view the source, which must outlive it.
struct SafetensorsFile {
  NamedArrays arrays;
  std::map<std::string, std::string> metadata;
};

/// Headers that are longer are refused, as by the format's own library.
inline constexpr std::uint64_t max_safetensors_header = 100'000'000;

[[nodiscard]] inline Element safetensors_type(const std::string& text, const Where& where) {
  for (const auto& [name, element] : safetensors_types) {
    if (text == name) return element;
  }
  where.expected("a type that strata reads", in_quotes(text));
}

[[nodiscard]] inline const char* safetensors_name(Element element) {
  return std::find_if(std::begin(safetensors_types), std::end(safetensors_types),
                      [&](const auto& type) { return type.second == element; })
      ->first;
}

/// Reads a file. Throws FormatError unless the header is whole, every tensor is as long as its type
/// and sizes say, and the tensors cover the rest of the file without gaps and overlaps.
[[nodiscard]] inline SafetensorsFile read_safetensors(const Source& source) {
  const Where where = source.where();
  const auto bytes = source.bytes();
  if (bytes.size() < 8) {
    where.expected("a safetensors file of 8 bytes or more",
                   std::to_string(bytes.size()) + " bytes");
  }
  const auto length = read_word<std::uint64_t>(bytes.data());
  if (length > max_safetensors_header || length > bytes.size() - 8) {
    where.in("header length")
        .expected("at most the " + std::to_string(bytes.size() - 8) + " bytes that follow",
                  std::to_string(length) + "; this may be no safetensors file");
  }
  const auto header_length = static_cast<std::size_t>(length);
  const auto data = bytes.subspan(8 + header_length);
  const Json header = parse_json(source.text().substr(8, header_length), where.in("header"));
  if (!header.is_object()) where.in("header").expected("an object", found_text(header));

  SafetensorsFile file{NamedArrays(where), {}};
  struct Range {
    std::uint64_t begin;
    std::uint64_t end;
    std::string name;
  };
  std::vector<Range> ranges;
  for (const auto& [name, entry] : header.items()) {
    if (name == "__metadata__") {
      if (!entry.is_object()) where.in(name).expected("an object", found_text(entry));
      for (const auto& [key, value] : entry.items()) {
        file.metadata[key] = read_string(value, where.in(name).in(in_quotes(key)));
      }
      continue;
    }
    const Where here = where.in(in_quotes(name));
    ObjectReader reader(entry, here);
    ArrayView array;
    array.element = safetensors_type(reader.get<std::string>("dtype"), reader.where("dtype"));
    array.shape = reader.get<std::vector<Index>>("shape");
    const auto offsets = reader.get<std::vector<Index>>("data_offsets");
    reader.finish();
    if (offsets.size() != 2 || offsets[0] < 0 || offsets[1] < offsets[0] ||
        static_cast<std::uint64_t>(offsets[1]) > data.size()) {
      here.in("data_offsets")
          .expected("a begin and an end within " + std::to_string(data.size()) + " bytes",
                    sizes_text(offsets));
    }
    const auto begin = static_cast<std::size_t>(offsets[0]);
    const auto end = static_cast<std::size_t>(offsets[1]);
    array.bytes = data.subspan(begin, end - begin);
    file.arrays.add(name, std::move(array));
    ranges.push_back({begin, end, name});
  }
  std::sort(ranges.begin(), ranges.end(), [](const Range& a, const Range& b) {
    return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
  });
  std::uint64_t at = 0;
  for (const Range& range : ranges) {
    if (range.begin != at) {
      where.in(in_quotes(range.name))
          .expected("its data to begin at " + std::to_string(at) + ", where that before ends",
                    std::to_string(range.begin));
    }
    at = range.end;
  }
  if (at != data.size()) {
    where.expected(
        "the tensors to end with the file, after " + std::to_string(data.size()) + " bytes",
        std::to_string(at));
  }
  return file;
}

/// Collects tensors and metadata, and lays out a file of them.
class SafetensorsWriter {
 public:
  std::map<std::string, std::string> metadata;

  /// Numbers of float, double or std::int64_t.
  template <class Number>
  void add(const std::string& name, std::vector<Index> shape, std::span<const Number> numbers) {
    Entry entry{name, element_of<Number>(), std::move(shape), {}};
    entry.bytes.resize(numbers.size() * sizeof(Number));
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      write_scalar(numbers[i], entry.bytes.data() + i * sizeof(Number));
    }
    entries_.push_back(std::move(entry));
  }

  /// The whole file. Tensors of larger numbers come first, so that all are aligned.
  [[nodiscard]] std::vector<std::byte> bytes() const {
    std::vector<const Entry*> order;
    for (const Entry& entry : entries_) order.push_back(&entry);
    std::stable_sort(order.begin(), order.end(), [](const Entry* a, const Entry* b) {
      return size_of(a->element) > size_of(b->element);
    });
    Json header = Json::object();
    if (!metadata.empty()) header["__metadata__"] = metadata;
    std::size_t at = 0;
    for (const Entry* entry : order) {
      const std::size_t end = at + entry->bytes.size();
      header[entry->name] = {{"dtype", safetensors_name(entry->element)},
                             {"shape", entry->shape},
                             {"data_offsets", {at, end}}};
      at = end;
    }
    std::string text = header.dump();
    text.resize((text.size() + 7) / 8 * 8, ' ');
    std::vector<std::byte> file(8 + text.size() + at);
    write_word(static_cast<std::uint64_t>(text.size()), file.data());
    std::byte* to = std::ranges::copy(std::as_bytes(std::span(text)), file.data() + 8).out;
    for (const Entry* entry : order) to = std::ranges::copy(entry->bytes, to).out;
    return file;
  }

 private:
  struct Entry {
    std::string name;
    Element element;
    std::vector<Index> shape;
    std::vector<std::byte> bytes;
  };
  std::vector<Entry> entries_;
};

}  // namespace strata::inline STRATA_TARGET::io
