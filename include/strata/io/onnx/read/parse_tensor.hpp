#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
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
/// whole numbers and 16-bit floats, as a list of integers.
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
          external_ = true;
          break;
        case 14:
          external_ = external_ || message.integer() != 0;
          break;
        default:
          message.refuse_field();
      }
    }
  }

  [[nodiscard]] OnnxTensor finish() {
    if (external_) {
      where_.refuse(
          "its numbers are in another file (external data), which is not read; save the model as "
          "one file");
    }
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
  bool external_ = false;
  std::span<const std::byte> raw_;
  std::vector<float> floats_;
  std::vector<double> doubles_;
  std::vector<Index> integers_;
};

}  // namespace strata::inline STRATA_RUNTIME::io
