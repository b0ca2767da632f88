#pragma once

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <strata/io/common/arrays.hpp>
#include <strata/io/common/element.hpp>
#include <strata/io/common/where.hpp>
#include <strata/io/onnx/graph/model.hpp>
#include <strata/io/onnx/graph/protobuf.hpp>
#include <strata/io/onnx/graph/type_names.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME::io {

/// Reads a tensor. A file may write its numbers as raw bytes, as a list of their own type, or, for
/// whole numbers and 16-bit floats, as a list of integers. It may also say that they are in another
/// file, and where there; they are not read here.
class OnnxTensorReader {
 public:
  [[nodiscard]] static OnnxTensor read(ProtoReader message) {
    OnnxTensorReader reader(message.where());
    reader.read_fields(message);
    return reader.finish();
  }

 private:
  explicit OnnxTensorReader(Where where) : where_(std::move(where)) {}

  void read_fields(ProtoReader& message) {
    while (message.next()) {
      switch (message.field()) {
        case 1:
          message.append_integers(tensor_.shape);
          break;
        case 2:
          type_ = message.integer();
          break;
        case 4:
          message.append_numbers(floats_);
          break;
        case 5:
        case 7:
          message.append_integers(integers_);
          break;
        case 8:
          tensor_.name = message.text();
          where_ = where_.in(in_quotes(tensor_.name));
          break;
        case 9:
          raw_ = message.bytes();
          break;
        case 10:
          message.append_numbers(doubles_);
          break;
        case 12:
        case 16:
          break;
        case 13:
          read_external_entry(message.message("external_data"));
          break;
        case 14:
          is_external_ = message.integer() != 0;
          break;
        default:
          message.refuse_field();
      }
    }
  }

  [[nodiscard]] OnnxTensor finish() {
    const auto element = onnx_element_of(type_);
    if (!element) {
      if (is_quantized_type(type_)) {
        where_.in("data_type").refuse("is " + onnx_type_text(type_) + ": " + onnx_is_quantized);
      }
      where_.in("data_type")
          .expected(
              "FLOAT (1), INT32 (6), INT64 (7), BOOL (9), FLOAT16 (10), DOUBLE (11) or BFLOAT16 "
              "(16)",
              onnx_type_text(type_));
    }
    tensor_.element = *element;
    const std::size_t count = checked_count(tensor_.shape, where_);
    if (is_external_ || has_external_) {
      require_alone(raw_.size() + floats_.size() + doubles_.size() + integers_.size());
      finish_external(count * size_of(*element));
      return std::move(tensor_);
    }
    if (!raw_.empty()) {
      require_alone(floats_.size() + doubles_.size() + integers_.size());
      tensor_.bytes.assign(raw_.begin(), raw_.end());
    } else if (*element == Element::float32) {
      require_alone(doubles_.size() + integers_.size());
      put(floats_);
    } else if (*element == Element::float64) {
      require_alone(floats_.size() + integers_.size());
      put(doubles_);
    } else {
      require_alone(floats_.size() + doubles_.size());
      put_words();
    }
    if (tensor_.bytes.size() != count * size_of(*element)) {
      where_.expected(std::to_string(count * size_of(*element)) + " bytes for the sizes " +
                          sizes_text(tensor_.shape) + " of " + std::string(io::name(*element)),
                      std::to_string(tensor_.bytes.size()));
    }
    return std::move(tensor_);
  }

  /// One entry of the place in another file: a key and a value, both texts.
  void read_external_entry(ProtoReader entry) {
    has_external_ = true;
    std::string key;
    std::string value;
    while (entry.next()) {
      if (entry.field() == 1) {
        key = entry.text();
      } else if (entry.field() == 2) {
        value = entry.text();
      } else {
        entry.refuse_field();
      }
    }
    const Where here = where_.in("external_data").in(in_quotes(key));
    if (key == "location") {
      place_.file = std::move(value);
    } else if (key == "offset") {
      place_.offset = whole_number(value, here);
    } else if (key == "length") {
      length_ = whole_number(value, here);
    } else if (key != "checksum") {
      here.refuse("is not known");
    }
  }

  [[nodiscard]] static std::uintmax_t whole_number(const std::string& text, const Where& where) {
    std::uintmax_t number = 0;
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, number);
    if (text.empty() || stop != end || error != std::errc()) {
      where.expected("a whole number", in_quotes(text));
    }
    return number;
  }

  /// `size`: the bytes of the tensor by its sizes.
  void finish_external(std::size_t size) {
    const Where here = where_.in("external_data");
    if (!is_external_) here.refuse("is given, and data_location says that the numbers are here");
    if (place_.file.empty()) here.in("location").refuse("is missing");
    if (length_ && *length_ != size) {
      here.in("length").expected(std::to_string(size) + " bytes for the sizes " +
                                     sizes_text(tensor_.shape) + " of " +
                                     std::string(io::name(tensor_.element)),
                                 std::to_string(*length_));
    }
    place_.length = size;
    tensor_.external = std::move(place_);
  }

  void require_alone(std::size_t others) const {
    if (others > 0) where_.refuse("its numbers are written in more than one way");
  }

  template <class Scalar>
  void put(const std::vector<Scalar>& values) {
    tensor_.bytes.resize(values.size() * sizeof(Scalar));
    for (std::size_t i = 0; i < values.size(); ++i) {
      write_scalar(values[i], tensor_.bytes.data() + i * sizeof(Scalar));
    }
  }

  /// Puts down whole numbers, and 16-bit floats, which the file holds as integers with their bits.
  void put_words() {
    const std::size_t size = size_of(tensor_.element);
    tensor_.bytes.resize(integers_.size() * size);
    for (std::size_t i = 0; i < integers_.size(); ++i) {
      const auto word = static_cast<std::uint64_t>(integers_[i]);
      for (std::size_t k = 0; k < size; ++k) {
        tensor_.bytes[i * size + k] = static_cast<std::byte>(word >> (8 * k));
      }
    }
  }

  Where where_;
  OnnxTensor tensor_;
  Index type_ = 0;
  /// What data_location says, and whether there is external_data.
  bool is_external_ = false;
  bool has_external_ = false;
  OnnxExternalPlace place_;
  std::optional<std::uintmax_t> length_;
  std::span<const std::byte> raw_;
  std::vector<float> floats_;
  std::vector<double> doubles_;
  std::vector<Index> integers_;
};

}  // namespace strata::inline STRATA_RUNTIME::io
