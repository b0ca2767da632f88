#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <strata/base/message.hpp>
#include <strata/error.hpp>
#include <strata/error_handler.hpp>
#include <strata/model/network.hpp>
#include <strata/model/state.hpp>
#include <strata/model/state_parts.hpp>
#include <strata/model/text_state.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

namespace strata::detail::inline STRATA_RUNTIME {

/// The only part of a state whose name ends so. Throws ValueError where there is another number of
/// them.
[[nodiscard]] inline NamedState only_part(const std::vector<NamedState>& parts,
                                          std::string_view ending) {
  const NamedState* found = nullptr;
  int count = 0;
  for (const NamedState& part : parts) {
    if (!std::string_view(part.name).ends_with(ending)) continue;
    found = &part;
    ++count;
  }
  if (count != 1) {
    fail<ValueError>(
        {"text_state: expects a model with one layer that reads a text, found ", count});
  }
  return *found;
}

template <class Scalar>
State<Scalar> text_state(const Network<Scalar>& network,
                         const std::vector<std::vector<Index>>& texts) {
  const std::vector<NamedState> parts = state_parts(network);
  const NamedState text = only_part(parts, ".text");
  const Index characters = only_part(parts, ".window").size;
  const Index length = text.size / characters;
  if (texts.empty()) detail::raise<ValueError>("text_state: expects at least one text, found none");
  State<Scalar> state = network.zero_state(static_cast<Index>(texts.size()));
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (static_cast<Index>(texts[i].size()) > length) {
      fail<ValueError>({"text_state: text ", i, " has ", texts[i].size(),
                        " characters, but the layer reads up to ", length});
    }
    Scalar* row = state.rows(text.layer, static_cast<Index>(i)).data + text.first;
    for (std::size_t u = 0; u < texts[i].size(); ++u, row += characters) {
      const Index character = texts[i][u];
      if (character < 0 || character >= characters) {
        fail<ValueError>({"text_state: character ", u, " of text ", i, " must be in [0, ",
                          characters, "), found ", character});
      }
      row[character] = 1;
    }
  }
  return state;
}

}  // namespace strata::detail::inline STRATA_RUNTIME
