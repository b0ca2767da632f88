#pragma once

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include <strata/language/algorithms.hpp>
#include <strata/target.hpp>

// What the words in the names of modules and tensors say of their kinds.

namespace strata::inline STRATA_RUNTIME::io {

/// A text in small letters.
[[nodiscard]] inline std::string in_small_letters(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](char letter) {
    return static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
  });
  return lower;
}

/// The words of a name in small letters: it is cut at each character that is no letter, and where a
/// large letter follows on a small one. "enc.tokenEmb_1" has the words enc, token and emb.
[[nodiscard]] inline std::vector<std::string> words_of(std::string_view name) {
  const auto is = [](int (*kind)(int), char letter) {
    return kind(static_cast<unsigned char>(letter)) != 0;
  };
  // Letters of other alphabets have the highest bit.
  const auto is_letter = [&](char letter) {
    return is(std::isalpha, letter) || (static_cast<unsigned char>(letter) & 0x80) != 0;
  };
  std::vector<std::string> words;
  for (std::size_t i = 0; i < name.size(); ++i) {
    if (!is_letter(name[i])) continue;
    const bool begins = i == 0 || !is_letter(name[i - 1]) ||
                        (is(std::isupper, name[i]) && is(std::islower, name[i - 1]));
    if (begins) words.emplace_back();
    words.back() += in_small_letters(name.substr(i, 1));
  }
  return words;
}

/// The last part of a name that is not a number alone, which is the name that its parent gave it:
/// "embedding" of "net.embedding.0".
[[nodiscard]] inline std::string_view own_name(std::string_view name) {
  while (true) {
    const std::size_t dot = name.rfind('.');
    const std::string_view part = dot == std::string_view::npos ? name : name.substr(dot + 1);
    if (dot == std::string_view::npos || !words_of(part).empty()) return part;
    name = name.substr(0, dot);
  }
}

[[nodiscard]] inline bool is_one_of(std::string_view word,
                                    std::initializer_list<std::string_view> words) {
  return detail::contains(words, word);
}

/// Whether the own name of a module has a word for an embedding, such as "tok_emb" or
/// "charEmbeddings2", and not "ensemble" or "member".
[[nodiscard]] inline bool says_embedding(std::string_view name) {
  return detail::any_of(words_of(own_name(name)), [](const std::string& word) {
    return word == "embedder" ||
           detail::any_of(std::initializer_list<std::string_view>{"emb", "embs", "embed", "embeds",
                                                                  "embedding", "embeddings"},
                          [&](std::string_view ending) { return word.ends_with(ending); });
  });
}

/// The word in the name of a module that says a normalization over a batch, groups or instances,
/// such as "bn" of "net.bn1"; empty where there is none. "in" is one where it stands alone: that of
/// "norm_in" is the input's.
[[nodiscard]] inline std::string other_normalization(std::string_view name) {
  for (const char* word : {"batch", "group", "instance"}) {
    if (in_small_letters(name).find(word) != std::string::npos) return word;
  }
  for (const std::string& word : words_of(name)) {
    if (is_one_of(word, {"gn", "gnorm", "inorm", "inst", "instnorm"}) || word.starts_with("bn") ||
        word.ends_with("bn")) {
      return word;
    }
  }
  const std::vector<std::string> own = words_of(own_name(name));
  const bool is_of_input = detail::any_of(own, [](const std::string& word) {
    return word == "ln" || word.find("norm") != std::string::npos;
  });
  return !is_of_input && detail::contains(own, "in") ? "in" : "";
}

/// Whether the name of a tensor has a word for the state of a recurrent module, such as "h0",
/// "init_c" or "hidden".
[[nodiscard]] inline bool says_state(std::string_view name) {
  return detail::any_of(words_of(name), [](const std::string& word) {
    return is_one_of(
        word, {"h", "c", "hc", "hx", "cx", "hidden", "cell", "state", "states", "init", "initial"});
  });
}

}  // namespace strata::inline STRATA_RUNTIME::io
