// The models that somebody drops on the page.

#include "opened_model.hpp"

#include <strata/io/common/json.hpp>
#include <strata/io/keras.hpp>
#include <strata/io/nam.hpp>
#include <strata/io/onnx.hpp>
#include <strata/io/pytorch.hpp>
#include <strata/io/rtneural.hpp>
#include <strata/io/safetensors.hpp>
#include <strata/io/safetensors/format.hpp>

#include <cstddef>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>

#include "result.hpp"

using page::OpenedModel;
using strata::io::Json;

namespace {

using Bytes = std::span<const std::byte>;

std::unique_ptr<OpenedModel> model;

Bytes bytes_at(const void* begin, std::size_t count) {
  return {static_cast<const std::byte*>(begin), count};
}

OpenedModel of_amplifier(strata::NAMModel<float> amp) {
  return {std::move(amp.model), std::move(amp.rest), amp.sample_rate};
}

/// The model of a file, by the ending of its name; .keras archives are unpacked by the page and
/// come as a strata::KerasFolder. Throws what the readers throw, and std::runtime_error on another
/// ending.
OpenedModel open_model(const std::string& name, Bytes bytes) {
  const strata::io::Source source(bytes, name);
  const auto ends = [&](const char* ending) { return name.ends_with(ending); };
  if (ends(".nam")) return of_amplifier(strata::load_nam(source));
  if (ends(".onnx")) return OpenedModel(strata::load_onnx(source));
  if (ends(".h5")) return OpenedModel(strata::load_keras(source));
  if (ends(".safetensors")) {
    const bool is_own = strata::io::read_safetensors(source).metadata.contains("strata.model");
    return OpenedModel(is_own ? strata::load(source) : strata::load_pytorch(source));
  }
  if (ends(".json")) {
    const auto json = strata::io::parse_json(source.text(), source.where());
    const bool has_layers = json.is_object() && json.contains("layers");
    return OpenedModel(has_layers ? strata::load_rtneural(source) : strata::load_pytorch(source));
  }
  if (ends(".pt") || ends(".pth") || ends(".ckpt")) {
    return OpenedModel(strata::load_pytorch(source));
  }
  throw std::runtime_error(name +
                           ": the ending is that of no model: .safetensors, .keras, .h5, .onnx, "
                           ".nam, .json, .pt, .pth, .ckpt");
}

void set_opened(OpenedModel opened) {
  model = std::make_unique<OpenedModel>(std::move(opened));
  page::text() = Json{{"summary", model->model().summary()},
                      {"features", model->features()},
                      {"outputs", model->outputs()},
                      {"takesSequences", model->takes_sequences()},
                      {"returnsSequences", model->returns_sequences()},
                      {"audio", model->is_audio()},
                      {"sampleRate", model->sample_rate()}}
                     .dump();
}

}  // namespace

const OpenedModel& page::opened() {
  if (!model) throw std::runtime_error("no model is open");
  return *model;
}

/// text: what set_opened says. After an error the model before is still there.
PAGE_EXPORT(model_open)
int page_model_open(const char* name, std::size_t name_size, const void* bytes, std::size_t size) {
  return page::call(
      [&] { set_opened(open_model(std::string(name, name_size), bytes_at(bytes, size))); });
}

/// The same for the three files of a .keras archive, one behind the other.
PAGE_EXPORT(model_open_keras)
int page_model_open_keras(const char* name, std::size_t name_size, const void* bytes,
                          std::size_t size, std::size_t metadata, std::size_t config) {
  return page::call([&] {
    const Bytes all = bytes_at(bytes, size);
    set_opened(OpenedModel(strata::load_keras(
        strata::KerasFolder{all.first(metadata), all.subspan(metadata, config),
                            all.subspan(metadata + config), std::string(name, name_size)})));
  });
}

/// values: the outputs, all of a step side by side.
PAGE_EXPORT(model_run)
int page_model_run(const float* signal, std::size_t count) {
  return page::call([&] { page::values() = page::opened().outputs_on(std::span(signal, count)); });
}
