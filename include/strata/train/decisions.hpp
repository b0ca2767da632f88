#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <strata/support/peers.hpp>
#include <strata/target.hpp>
#include <strata/train/history.hpp>
#include <strata/train/state_bytes.hpp>

// What the first of several processes, which alone calls callbacks, tells the others.

namespace strata::detail::inline STRATA_RUNTIME {

/// What callbacks have decided.
struct Decisions {
  double learning_rate = 0;
  bool is_scheduled = false;
  bool is_stopped = false;
  bool is_stopped_now = false;
  bool has_new_weights = false;
  /// Whether this is no decision: a callback wants what the optimizers of all processes remember.
  bool wants_moments = false;
};

/// The first process's value for all.
template <class Value>
void broadcast_value(Peers& peers, Value& value) {
  peers.broadcast(std::as_writable_bytes(std::span(&value, 1)));
}

/// The first process's bytes for all, whatever their number.
inline void broadcast_bytes(Peers& peers, std::vector<std::byte>& bytes) {
  auto count = static_cast<std::uint64_t>(bytes.size());
  broadcast_value(peers, count);
  bytes.resize(static_cast<std::size_t>(count));
  peers.broadcast(bytes);
}

inline void broadcast_logs(Peers& peers, Logs& logs) {
  StateWriter writer;
  std::vector<double> values;
  if (peers.is_first()) {
    std::string names;
    for (const auto& [name, value] : logs) {
      names += name + '\n';
      values.push_back(value);
    }
    writer.numbers(std::span<const char>(names));
    writer.numbers(std::span<const double>(values));
  }
  broadcast_bytes(peers, writer.bytes());
  if (peers.is_first()) return;
  StateReader reader(writer.bytes());
  const auto names = reader.numbers<std::string>();
  values = reader.numbers<std::vector<double>>();
  std::size_t begin = 0;
  for (const double value : values) {
    const std::size_t end = names.find('\n', begin);
    logs.set(names.substr(begin, end - begin), value);
    begin = end + 1;
  }
}

}  // namespace strata::detail::inline STRATA_RUNTIME
