#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include <strata/io/common/source.hpp>
#include <strata/io/common/where.hpp>
#include <strata/io/onnx/graph/model.hpp>
#include <strata/io/onnx/graph/protobuf.hpp>
#include <strata/io/onnx/read/parse_graph.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>
#include <strata/version.hpp>

// Reads an ONNX file, whose messages have a header each. Fields that change no output
// (documentation, metadata, the shapes of inner values) are listed and passed over; every other
// field is read or refused.

namespace strata::inline STRATA_RUNTIME::io {

/// Reads the version of ONNX' own operator set. Versions of other operator sets are passed over: a
/// node that uses one of their operators is refused.
inline void read_onnx_opset(ProtoReader message, Index& opset) {
  std::string domain;
  Index version = 0;
  while (message.next()) {
    if (message.field() == 1) {
      domain = message.text();
    } else if (message.field() == 2) {
      version = message.integer();
    } else {
      message.refuse_field();
    }
  }
  if (!domain.empty() && domain != "ai.onnx") return;
  if (version < onnx_oldest_opset || version > onnx_newest_opset) {
    message.where().expected(
        "operators (opset) of a version from " + std::to_string(onnx_oldest_opset) + " to " +
            std::to_string(onnx_newest_opset) + ", which strata " + version_string + " reads",
        std::to_string(version));
  }
  opset = version;
}

/// Throws FormatError on a file that cannot be ONNX, before the whole file is read into memory.
inline void require_onnx_begin(const Source& from) {
  // A message of Protocol Buffers may not be larger. Larger models keep their weights in other
  // files, as external data.
  constexpr std::uintmax_t largest = (std::uintmax_t{1} << 31) - 1;
  const auto head = from.head(1);
  if (!head.empty() && head[0] == std::byte{0}) from.where().refuse("this is no ONNX file");
  if (from.size() > largest) {
    from.where().expected("at most " + std::to_string(largest) + " bytes, as ONNX files have",
                          std::to_string(from.size()));
  }
}

/// Reads a whole file. Throws FormatError on a file that is damaged, newer than the versions that
/// strata reads, or without exactly one graph.
[[nodiscard]] inline OnnxModel read_onnx_model(const Source& from) {
  const Where where = from.where();
  require_onnx_begin(from);
  OnnxModel model;
  bool has_graph = false;
  ProtoReader message(from.bytes(), where);
  while (message.next()) {
    switch (message.field()) {
      case 1:
        model.ir_version = message.integer();
        if (model.ir_version < 3 || model.ir_version > onnx_newest_ir_version) {
          where.in("ir_version")
              .expected("3 to " + std::to_string(onnx_newest_ir_version) + ", which strata " +
                            version_string + " reads",
                        std::to_string(model.ir_version));
        }
        break;
      case 2:
        model.producer = message.text();
        break;
      case 3:
        model.producer_version = message.text();
        break;
      case 7:
        if (std::exchange(has_graph, true)) where.refuse("there are two graphs");
        model.graph = read_onnx_graph(message.message("graph"));
        break;
      case 8:
        read_onnx_opset(message.message("opset_import"), model.opset);
        break;
      case 4:
      case 5:
      case 6:
      case 14:
        break;
      case 20:
        message.refuse("graphs of training are not read");
      case 25:
        message.refuse("functions of the model's own are not read; export it without");
      default:
        message.refuse_field();
    }
  }
  if (model.ir_version == 0 || !has_graph) where.refuse("this is no ONNX file");
  if (model.opset == 0) where.refuse("does not say the version of its operators (opset_import)");
  return model;
}

}  // namespace strata::inline STRATA_RUNTIME::io
