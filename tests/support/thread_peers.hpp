#pragma once

#include <algorithm>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <exception>
#include <map>
#include <mutex>
#include <span>
#include <stdexcept>
#include <thread>
#include <tuple>
#include <vector>

#include <strata/support/peers.hpp>

namespace strata::test {

/// Where the threads of run_together exchange their messages.
class Exchange {
 public:
  using Key = std::tuple<std::size_t, std::size_t, int>;  // from, to, tag

  void put(const Key& key, std::span<const std::byte> bytes) {
    {
      const std::lock_guard lock(mutex_);
      waiting_[key].emplace_back(bytes.begin(), bytes.end());
    }
    changed_.notify_all();
  }
  [[nodiscard]] bool take(const Key& key, std::span<std::byte> to) {
    const std::lock_guard lock(mutex_);
    return take_locked(key, to);
  }
  void wait_and_take(const Key& key, std::span<std::byte> to) {
    std::unique_lock lock(mutex_);
    bool taken = false;
    changed_.wait(lock, [&] { return (taken = take_locked(key, to)) || failed_; });
    if (!taken) throw std::runtime_error("another thread has failed");
  }
  void fail() {
    {
      const std::lock_guard lock(mutex_);
      failed_ = true;
    }
    changed_.notify_all();
  }
  [[nodiscard]] bool is_empty() {
    const std::lock_guard lock(mutex_);
    return std::all_of(waiting_.begin(), waiting_.end(),
                       [](const auto& one) { return one.second.empty(); });
  }

 private:
  [[nodiscard]] bool take_locked(const Key& key, std::span<std::byte> to) {
    auto& queue = waiting_[key];
    if (queue.empty()) return false;
    if (queue.front().size() != to.size()) throw std::logic_error("a message of another size");
    std::copy(queue.front().begin(), queue.front().end(), to.begin());
    queue.pop_front();
    return true;
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<Key, std::deque<std::vector<std::byte>>> waiting_;
  bool failed_ = false;
};

/// A thread that stands for a process.
class ThreadPeers final : public detail::Peers {
 public:
  ThreadPeers(Exchange& exchange, std::size_t rank, std::size_t size, bool divides_moments)
      : exchange_(exchange), rank_(rank), size_(size), divides_moments_(divides_moments) {}

  [[nodiscard]] std::size_t rank() const noexcept override { return rank_; }
  [[nodiscard]] std::size_t size() const noexcept override { return size_; }

  void broadcast(std::span<std::byte> bytes) override {
    if (rank_ != 0) return exchange_.wait_and_take({0, rank_, broadcast_tag}, bytes);
    for (std::size_t to = 1; to < size_; ++to) exchange_.put({0, to, broadcast_tag}, bytes);
  }
  void gather(std::span<std::byte> all, std::span<const std::size_t> ends) override {
    const auto part = [&](std::size_t rank) {
      const std::size_t begin = rank == 0 ? 0 : ends[rank - 1];
      return all.subspan(begin, ends[rank] - begin);
    };
    for (std::size_t to = 0; to < size_; ++to) {
      if (to != rank_) exchange_.put({rank_, to, gather_tag}, part(rank_));
    }
    for (std::size_t from = 0; from < size_; ++from) {
      if (from != rank_) exchange_.wait_and_take({from, rank_, gather_tag}, part(from));
    }
  }
  std::size_t send(std::size_t to, int tag, std::span<const std::byte> bytes) override {
    exchange_.put({rank_, to, tag}, bytes);
    receives_.push_back({});
    return receives_.size() - 1;
  }
  std::size_t receive(std::size_t from, int tag, std::span<std::byte> bytes) override {
    receives_.push_back({from, tag, bytes, false});
    return receives_.size() - 1;
  }
  [[nodiscard]] bool is_done(std::size_t message) override {
    // Messages of one tag go to the receives in the order in which these began.
    const Receive& asked = receives_[message];
    for (std::size_t i = 0; i <= message; ++i) {
      Receive& one = receives_[i];
      if (one.is_done || one.from != asked.from || one.tag != asked.tag) continue;
      one.is_done = exchange_.take({one.from, rank_, one.tag}, one.bytes);
      if (!one.is_done) break;
    }
    return asked.is_done;
  }
  void forget_messages() noexcept override { receives_.clear(); }
  [[nodiscard]] bool divides_moments() const noexcept override { return divides_moments_; }
  [[nodiscard]] bool is_callable() const noexcept override {
    return std::this_thread::get_id() == owner_;
  }

 private:
  static constexpr int broadcast_tag = -1;
  static constexpr int gather_tag = -2;

  struct Receive {
    std::size_t from = 0;
    int tag = 0;
    std::span<std::byte> bytes;
    bool is_done = true;
  };

  Exchange& exchange_;
  std::size_t rank_;
  std::size_t size_;
  bool divides_moments_;
  std::thread::id owner_ = std::this_thread::get_id();
  std::vector<Receive> receives_;
};

/// Calls f(peers) in `size` threads, each of which stands for a process. Throws what the first of
/// them throws, and std::logic_error where a message was sent that nobody has received.
template <class F>
void run_together(std::size_t size, F f, bool divides_moments = false) {
  Exchange exchange;
  std::vector<std::exception_ptr> errors(size);
  std::vector<std::thread> threads;
  for (std::size_t rank = 0; rank < size; ++rank) {
    threads.emplace_back([&, rank] {
      try {
        ThreadPeers peers(exchange, rank, size, divides_moments);
        f(peers);
      } catch (...) {
        errors[rank] = std::current_exception();
        exchange.fail();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::exception_ptr& error : errors) {
    if (error) std::rethrow_exception(error);
  }
  if (!exchange.is_empty()) throw std::logic_error("a message that nobody has received");
}

}  // namespace strata::test
