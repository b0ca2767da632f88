#include <strata/io/common/json.hpp>
#include <strata/io/nam.hpp>
#include <strata/io/pytorch.hpp>
#include <strata/io/rtneural.hpp>

#include "formats.hpp"

strata::tool::Format strata::tool::json_format() {
  return {".json",
          "a model of RTNeural, or a PyTorch state_dict",
          [](const std::string& path) {
            const io::Source source(path);
            const io::Json json = io::parse_json(source.text(), source.where());
            const bool has_layers = json.is_object() && json.contains("layers");
            return has_layers ? load_rtneural(source) : load_pytorch(source);
          },
          {}};
}

strata::tool::Format strata::tool::nam_format() {
  return {".nam",
          "an LSTM of Neural Amp Modeler, without the state in which it rests",
          [](const std::string& path) { return load_nam(path).model; },
          {}};
}
