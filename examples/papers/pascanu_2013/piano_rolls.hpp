#pragma once

#include <strata/strata.hpp>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

/// Polyphonic music as piano rolls: of each frame, which of 88 keys sound.
namespace papers {

inline constexpr strata::Index keys = 88;

/// A piece: (T, 88), 1 where a key sounds and 0 elsewhere.
using Piece = strata::Tensor<float>;

struct PianoRolls {
  std::vector<Piece> train;
  std::vector<Piece> valid;
  std::vector<Piece> test;
};

namespace detail {

/// The piece of a line, such as "60,64,67 60 - 62". `where` names the line in errors.
inline Piece piece_of(const std::string& line, const std::string& where) {
  std::vector<float> values;
  std::istringstream words(line);
  for (std::string frame; words >> frame;) {
    const std::size_t row = values.size();
    values.resize(row + keys);
    if (frame == "-") continue;
    std::istringstream numbers(frame);
    for (std::string number; std::getline(numbers, number, ',');) {
      std::size_t key = keys;
      const char* const end = number.data() + number.size();
      const auto [stop, error] = std::from_chars(number.data(), end, key);
      if (error != std::errc{} || stop != end || key >= keys) {
        throw std::runtime_error(where + ": a key is a number from 0 to 87, found " + number);
      }
      values[row + key] = 1;
    }
  }
  const auto frames = static_cast<strata::Index>(values.size()) / keys;
  if (frames < 2) {
    throw std::runtime_error(where + ": a piece has at least two frames, found " +
                             std::to_string(frames));
  }
  return Piece({frames, keys}, values);
}

}  // namespace detail

/// Reads a file that piano_rolls.py has written. Throws std::runtime_error, with the line, where it
/// is none.
inline PianoRolls read_piano_rolls(const std::filesystem::path& path) {
  std::ifstream file(path);
  PianoRolls rolls;
  std::vector<Piece>* part = nullptr;
  int number = 0;
  for (std::string line; std::getline(file, line);) {
    const std::string where = path.string() + ", line " + std::to_string(++number);
    if (line == "train") {
      part = &rolls.train;
    } else if (line == "valid") {
      part = &rolls.valid;
    } else if (line == "test") {
      part = &rolls.test;
    } else if (part) {
      part->push_back(detail::piece_of(line, where));
    } else {
      throw std::runtime_error(where + ": expected \"train\"; piano_rolls.py writes such files");
    }
  }
  if (rolls.train.empty() || rolls.valid.empty() || rolls.test.empty()) {
    throw std::runtime_error(path.string() +
                             ": expected pieces below each of the lines train, valid and test");
  }
  return rolls;
}

/// Made music: five chords, each of which sounds for two frames, in one of two orders and in one of
/// three keys.
inline PianoRolls made_piano_rolls(std::size_t pieces, strata::Index frames) {
  static const std::vector<std::vector<strata::Index>> chords = {
      {0, 4, 7, 12}, {5, 9, 12}, {7, 11, 14}, {2, 5, 9}, {9, 12, 16}};
  strata::Random random(1);
  const auto made = [&](std::size_t count) {
    std::vector<Piece> part;
    for (std::size_t i = 0; i < count; ++i) {
      const strata::Index lowest = 40 + random.below(3);
      const strata::Index step = 1 + random.below(2);
      strata::Index chord = random.below(5);
      Piece piece({frames + random.below(frames), keys});
      for (strata::Index t = 0; t < piece.batch(); ++t) {
        if (t % 2 == 1) chord = (chord + step) % 5;
        for (const strata::Index above : chords[static_cast<std::size_t>(chord)]) {
          piece(t, lowest + above) = 1;
        }
      }
      part.push_back(std::move(piece));
    }
    return part;
  };
  PianoRolls rolls;
  rolls.train = made(pieces);
  rolls.valid = made(pieces / 4);
  rolls.test = made(pieces / 4);
  return rolls;
}

}  // namespace papers
