#pragma once

#if !__has_include(<mpi.h>)
#error \
    "strata::mpi needs MPI: install libopenmpi-dev and openmpi-bin, or libmpich-dev and mpich (Debian, Ubuntu), and link strata::mpi"
#endif

#include <mpi.h>

#include <algorithm>
#include <cstddef>
#include <exception>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <strata/error.hpp>
#include <strata/mpi/error_kind.hpp>
#include <strata/support/peers.hpp>

namespace strata::mpi {

/// What a function throws in a process where another one has failed, until all agree on the error
/// that they throw to the user.
class PeerFailed : public Error {
 public:
  PeerFailed() : Error("another process has failed") {}
};

/// The processes of a communicator, for one call. Messages travel over a copy of the communicator;
/// a second copy carries news of failures, for which every wait looks.
class Group final : public detail::Peers {
 public:
  explicit Group(MPI_Comm communicator, bool divides_moments = false)
      : divides_moments_(divides_moments) {
    MPI_Comm_dup(communicator, &data_);
    MPI_Comm_dup(communicator, &control_);
    MPI_Comm_rank(data_, &rank_);
    MPI_Comm_size(data_, &size_);
  }
  /// Collective, as the constructor is. After a failure the copies stay, since messages may be
  /// under way in them.
  ~Group() override {
    if (failed_) return;
    MPI_Comm_free(&data_);
    MPI_Comm_free(&control_);
  }

  [[nodiscard]] std::size_t rank() const noexcept override {
    return static_cast<std::size_t>(rank_);
  }
  [[nodiscard]] std::size_t size() const noexcept override {
    return static_cast<std::size_t>(size_);
  }

  // The collectives go through memory of the group's own: where the call fails meanwhile, they may
  // still write to it.

  void broadcast(std::span<std::byte> bytes) override {
    for (std::size_t at = 0; at < bytes.size(); at += most_bytes) {
      const auto part = bytes.subspan(at, (std::min)(most_bytes, bytes.size() - at));
      staging_.assign(part.begin(), part.end());
      MPI_Request request;
      MPI_Ibcast(staging_.data(), static_cast<int>(part.size()), MPI_BYTE, 0, data_, &request);
      wait(request);
      std::copy(staging_.begin(), staging_.end(), part.begin());
    }
  }

  void gather(std::span<std::byte> all, std::span<const std::size_t> ends) override {
    for (std::size_t at = 0; at < all.size(); at += most_bytes) {
      const auto part = all.subspan(at, (std::min)(most_bytes, all.size() - at));
      counts_.clear();
      begins_.clear();
      std::size_t begin = 0;
      for (const std::size_t end_of_all : ends) {
        const std::size_t end = std::clamp(end_of_all, at, at + part.size()) - at;
        begins_.push_back(static_cast<int>(begin));
        counts_.push_back(static_cast<int>(end - begin));
        begin = end;
      }
      staging_.assign(part.begin(), part.end());
      MPI_Request request;
      MPI_Iallgatherv(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, staging_.data(), counts_.data(),
                      begins_.data(), MPI_BYTE, data_, &request);
      wait(request);
      std::copy(staging_.begin(), staging_.end(), part.begin());
    }
  }

  std::size_t send(std::size_t to, int tag, std::span<const std::byte> bytes) override {
    return start(bytes.size(), true, [&](std::size_t at, int count, MPI_Request* request) {
      MPI_Isend(bytes.data() + at, count, MPI_BYTE, static_cast<int>(to), tag, data_, request);
    });
  }
  std::size_t receive(std::size_t from, int tag, std::span<std::byte> bytes) override {
    return start(bytes.size(), false, [&](std::size_t at, int count, MPI_Request* request) {
      MPI_Irecv(bytes.data() + at, count, MPI_BYTE, static_cast<int>(from), tag, data_, request);
    });
  }
  [[nodiscard]] bool is_done(std::size_t message) override {
    Message& one = messages_[message];
    int done = 0;
    MPI_Testall(static_cast<int>(one.requests.size()), one.requests.data(), &done,
                MPI_STATUSES_IGNORE);
    if (!done) look_for_failures();
    return done != 0;
  }
  void forget_messages() noexcept override { messages_.clear(); }

  [[nodiscard]] bool divides_moments() const noexcept override { return divides_moments_; }
  [[nodiscard]] bool is_callable() const noexcept override {
    return std::this_thread::get_id() == owner_;
  }

  /// Calls f, and lets all processes end with the same result: where f throws in any of them, all
  /// throw the error of the first such process, with its rank.
  template <class F>
  auto together(F f) {
    std::exception_ptr error;
    using Result = decltype(f());
    if constexpr (std::is_void_v<Result>) {
      run(f, error);
      settle(error);
    } else {
      std::optional<Result> result;
      run([&] { result.emplace(f()); }, error);
      settle(error);
      return std::move(*result);
    }
  }

 private:
  struct Message {
    bool is_send;
    std::vector<MPI_Request> requests;
  };
  /// What a process says of its error.
  struct Report {
    int kind;
    int length;
    std::size_t hash;
  };
  static constexpr std::size_t most_bytes = std::size_t{1} << 30;
  static constexpr int failure_tag = 1;
  /// Looking for failures takes longer than testing a request.
  static constexpr int tests_between_looks = 64;

  template <class Start>
  std::size_t start(std::size_t bytes, bool is_send, Start start_part) {
    Message message{is_send, {}};
    std::size_t at = 0;
    do {
      const std::size_t count = (std::min)(most_bytes, bytes - at);
      start_part(at, static_cast<int>(count), &message.requests.emplace_back());
      at += count;
    } while (at < bytes);
    messages_.push_back(std::move(message));
    return messages_.size() - 1;
  }

  void wait(MPI_Request& request) {
    for (;;) {
      int done = 0;
      MPI_Test(&request, &done, MPI_STATUS_IGNORE);
      if (done) return;
      look_for_failures();
    }
  }

  void look_for_failures() {
    if (++tests_ % tests_between_looks != 0) return;
    int found = 0;
    MPI_Iprobe(MPI_ANY_SOURCE, failure_tag, control_, &found, MPI_STATUS_IGNORE);
    if (found) throw PeerFailed();
    // Where there are more processes than processor cores, the others need this one.
    std::this_thread::yield();
  }

  template <class F>
  static void run(F f, std::exception_ptr& error) {
    try {
      f();
    } catch (const PeerFailed&) {
      // The process that has failed tells its error in settle.
      error = nullptr;
    } catch (...) {
      error = std::current_exception();
    }
  }

  /// Tells the others of an error and learns of theirs. All processes come here at the end of a
  /// call.
  void settle(const std::exception_ptr& error) {
    ErrorKind kind = ErrorKind::none;
    std::string text;
    if (error) std::tie(kind, text) = said_of(error);
    std::vector<MPI_Request> news(static_cast<std::size_t>(size_), MPI_REQUEST_NULL);
    const char nothing = 0;
    if (error) {
      for (int other = 0; other < size_; ++other) {
        if (other == rank_) continue;
        MPI_Isend(&nothing, 1, MPI_CHAR, other, failure_tag, control_,
                  &news[static_cast<std::size_t>(other)]);
      }
    }
    const Report own{static_cast<int>(kind), static_cast<int>(text.size()),
                     std::hash<std::string>()(text)};
    std::vector<Report> all(static_cast<std::size_t>(size_));
    MPI_Allgather(&own, sizeof(own), MPI_BYTE, all.data(), sizeof(own), MPI_BYTE, control_);
    int first = -1;
    for (int other = size_ - 1; other >= 0; --other) {
      if (all[static_cast<std::size_t>(other)].kind == 0) continue;
      first = other;
      char received = 0;
      if (other != rank_) {
        MPI_Recv(&received, 1, MPI_CHAR, other, failure_tag, control_, MPI_STATUS_IGNORE);
      }
    }
    MPI_Waitall(size_, news.data(), MPI_STATUSES_IGNORE);
    if (first < 0) return;
    failed_ = true;
    cancel_messages();
    const Report& report = all[static_cast<std::size_t>(first)];
    text.resize(static_cast<std::size_t>(report.length));
    MPI_Bcast(text.data(), report.length, MPI_CHAR, first, control_);
    const bool is_everywhere = std::all_of(
        all.begin(), all.end(), [&](const Report& other) { return other.hash == report.hash; });
    throw_again(static_cast<ErrorKind>(report.kind),
                is_everywhere ? text : "rank " + std::to_string(first) + ": " + text);
  }

  void cancel_messages() {
    for (Message& message : messages_) {
      for (MPI_Request& request : message.requests) {
        if (request == MPI_REQUEST_NULL) continue;
        MPI_Cancel(&request);
        // A receive is done when it is cancelled; a send that nobody receives may never be.
        if (message.is_send) {
          MPI_Request_free(&request);
        } else {
          MPI_Wait(&request, MPI_STATUS_IGNORE);
        }
      }
    }
    messages_.clear();
  }

  MPI_Comm data_ = MPI_COMM_NULL;
  MPI_Comm control_ = MPI_COMM_NULL;
  int rank_ = 0;
  int size_ = 1;
  bool divides_moments_;
  bool failed_ = false;
  int tests_ = 0;
  std::thread::id owner_ = std::this_thread::get_id();
  std::vector<std::byte> staging_;
  std::vector<int> counts_, begins_;
  std::vector<Message> messages_;
};

}  // namespace strata::mpi
