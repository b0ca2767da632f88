#pragma once

#include <strata/support/peers.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <span>
#include <thread>
#include <vector>

/// Processes whose messages take longer than they do: as if a network of this latency and bandwidth
/// lay between them. A process sends and receives one message after the other; latencies overlap.
class SlowPeers final : public strata::detail::Peers {
 public:
  /// latency: in seconds. bandwidth: in bytes per second, for each direction of a process.
  SlowPeers(Peers& inner, double latency, double bandwidth)
      : inner_(inner), latency_(latency), bandwidth_(bandwidth) {}

  [[nodiscard]] std::size_t rank() const noexcept override { return inner_.rank(); }
  [[nodiscard]] std::size_t size() const noexcept override { return inner_.size(); }

  void broadcast(std::span<std::byte> bytes) override {
    inner_.broadcast(bytes);
    wait_for_tree(bytes.size());
  }
  void gather(std::span<std::byte> all, std::span<const std::size_t> ends) override {
    inner_.gather(all, ends);
    wait_for_tree(all.size());
  }
  std::size_t send(std::size_t to, int tag, std::span<const std::byte> bytes) override {
    return start(inner_.send(to, tag, bytes), bytes.size(), sending_until_);
  }
  std::size_t receive(std::size_t from, int tag, std::span<std::byte> bytes) override {
    return start(inner_.receive(from, tag, bytes), bytes.size(), receiving_until_);
  }
  [[nodiscard]] bool is_done(std::size_t message) override {
    return inner_.is_done(message) && Clock::now() >= arrivals_[message];
  }
  void forget_messages() noexcept override {
    inner_.forget_messages();
    arrivals_.clear();
  }
  [[nodiscard]] bool is_callable() const noexcept override { return inner_.is_callable(); }

 private:
  using Clock = std::chrono::steady_clock;

  [[nodiscard]] static Clock::duration seconds(double value) {
    return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(value));
  }

  std::size_t start(std::size_t message, std::size_t bytes, Clock::time_point& busy_until) {
    const auto begin = std::max(Clock::now(), busy_until);
    busy_until = begin + seconds(static_cast<double>(bytes) / bandwidth_);
    arrivals_.resize(std::max(arrivals_.size(), message + 1));
    arrivals_[message] = busy_until + seconds(latency_);
    return message;
  }

  /// As long as a tree over all processes would take.
  void wait_for_tree(std::size_t bytes) const {
    const double levels = std::ceil(std::log2(static_cast<double>(size())));
    const auto end =
        Clock::now() + seconds(levels * latency_ + static_cast<double>(bytes) / bandwidth_);
    while (Clock::now() < end) std::this_thread::yield();
  }

  Peers& inner_;
  double latency_;
  double bandwidth_;
  Clock::time_point sending_until_;
  Clock::time_point receiving_until_;
  std::vector<Clock::time_point> arrivals_;
};
