#pragma once

#include <cstddef>
#include <span>

namespace strata::detail {

/// The processes that compute the batches of one call together, as one of them sees them. Each has
/// a rank, from 0 on, computes some shards of a batch, and hands its results to the others. All
/// call the same functions in the same order, but for messages between two. Where another process
/// has failed, the functions throw.
class Peers {
 public:
  Peers() = default;
  Peers(const Peers&) = delete;
  Peers& operator=(const Peers&) = delete;
  virtual ~Peers() = default;

  [[nodiscard]] virtual std::size_t rank() const noexcept = 0;
  /// The number of processes.
  [[nodiscard]] virtual std::size_t size() const noexcept = 0;
  [[nodiscard]] bool is_first() const noexcept { return rank() == 0; }

  /// Gives all processes the bytes of the first one.
  virtual void broadcast(std::span<std::byte> bytes) = 0;

  /// Process r has written the bytes of `all` from ends[r - 1] to ends[r], and gets those of the
  /// others.
  virtual void gather(std::span<std::byte> all, std::span<const std::size_t> ends) = 0;

  /// Starts to send bytes to another process. The bytes must stay as they are until the message is
  /// done. Messages of one tag between two processes arrive in the order in which they were sent.
  /// Returns the number of the message.
  virtual std::size_t send(std::size_t to, int tag, std::span<const std::byte> bytes) = 0;
  /// Starts to receive as many bytes.
  virtual std::size_t receive(std::size_t from, int tag, std::span<std::byte> bytes) = 0;
  /// Whether a message has been sent or received, without waiting.
  [[nodiscard]] virtual bool is_done(std::size_t message) = 0;
  /// Forgets all messages, which must be done; numbers begin anew.
  virtual void forget_messages() noexcept = 0;

  /// Whether what an optimizer remembers of the weights is divided among the processes.
  [[nodiscard]] virtual bool divides_moments() const noexcept { return false; }

  /// Whether this thread may call the functions above.
  [[nodiscard]] virtual bool is_callable() const noexcept = 0;
};

/// The processes of the call that is under way, or none. They are no part of a model: its copies
/// have none.
class PeersOfCall {
 public:
  PeersOfCall() = default;
  PeersOfCall(const PeersOfCall&) noexcept {}
  PeersOfCall& operator=(const PeersOfCall&) noexcept { return *this; }
  ~PeersOfCall() = default;

  [[nodiscard]] Peers* get() const noexcept { return peers_; }
  void set(Peers* peers) noexcept { peers_ = peers; }

 private:
  Peers* peers_ = nullptr;
};

}  // namespace strata::detail
