// The sound of an opened model, block by block.

#include <strata/strata.hpp>

#include <array>
#include <cstddef>
#include <optional>

#include "opened_model.hpp"
#include "result.hpp"

namespace {

constexpr std::size_t most_samples = 128;  // that an AudioWorklet asks for at a time

std::optional<strata::Stream<strata::Sequential<>>> stream;
std::array<float, most_samples> samples;

}  // namespace

PAGE_EXPORT(player_begin)
int page_player_begin() {
  return page::call([] {
    stream.emplace(page::opened().model());
    if (!page::opened().rest().layers.empty()) stream->set_state(page::opened().rest());
  });
}

/// The block whose samples player_run replaces.
PAGE_EXPORT(player_samples) float* page_player_samples() { return samples.data(); }

PAGE_EXPORT(player_run) void page_player_run(std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) samples[i] = *stream->step(&samples[i]);
}
