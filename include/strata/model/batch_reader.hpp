#pragma once

#include <algorithm>
#include <cstddef>
#include <exception>
#include <iterator>
#include <numeric>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <strata/error_handler.hpp>
#include <strata/language/threads.hpp>
#include <strata/model/batch.hpp>
#include <strata/model/own_batch.hpp>
#include <strata/model/sample_source.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

namespace strata::detail::inline STRATA_RUNTIME {

/// Fills the batches of a list of samples one after the other. With `ahead` above 0, a thread,
/// where the system has them, fills up to that number of batches before they are asked for; the
/// batches are the same.
template <class Scalar>
class BatchReader {
 public:
  /// `numbers`: the samples in their order. `next`: the number of the first batch.
  BatchReader(const AnySource<Scalar>& source, const Division& division, std::vector<Index> numbers,
              Index batch_size, Index next = 0, Index ahead = 0)
      : source_(source),
        division_(division),
        numbers_(std::move(numbers)),
        batch_size_(std::clamp<Index>(batch_size, 1, std::max<Index>(1, std::ssize(numbers_)))),
        next_(next) {
    if (ahead == 0 || !has_threads) return;
    filled_.resize(static_cast<std::size_t>(ahead));
    to_fill_ = next;
    thread_ = Thread([this] { fill_all(); });
  }
  BatchReader(const BatchReader&) = delete;
  BatchReader& operator=(const BatchReader&) = delete;
  ~BatchReader() {
    if (!thread_.joinable()) return;
    {
      const std::lock_guard lock(mutex_);
      stopped_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }

  /// The next batch, in `batch`, whose memory is used again. False where there is none. Throws what
  /// the source throws.
  [[nodiscard]] bool read(Batch<Scalar>& batch) {
    if (next_ >= batches()) return false;
    const std::span<const Index> numbers = numbers_of(next_);
    if (divides_source()) {
      fill_next(own_);
      complete(division_, static_cast<Index>(numbers.size()), own_, batch);
    } else if (division_.divides()) {
      source_.fill(numbers, rows_of(numbers), batch);
    } else {
      fill_next(batch);
    }
    ++next_;
    return true;
  }

  /// The samples of the batch that was read last, and the rows of x that it has.
  [[nodiscard]] std::span<const Index> last_numbers() const { return numbers_of(next_ - 1); }
  [[nodiscard]] Shard last_rows() const { return rows_of(last_numbers()); }

 private:
  struct Slot {
    Batch<Scalar> batch;
    std::exception_ptr error;
    bool is_full = false;
  };

  [[nodiscard]] Index batches() const {
    return (static_cast<Index>(numbers_.size()) + batch_size_ - 1) / batch_size_;
  }
  [[nodiscard]] std::span<const Index> numbers_of(Index batch) const {
    const Index first = batch * batch_size_;
    const Index count = (std::min)(batch_size_, static_cast<Index>(numbers_.size()) - first);
    return std::span(numbers_).subspan(static_cast<std::size_t>(first),
                                       static_cast<std::size_t>(count));
  }
  [[nodiscard]] Slot& slot(Index batch) {
    return filled_[static_cast<std::size_t>(batch) % filled_.size()];
  }

  [[nodiscard]] Shard rows_of(std::span<const Index> numbers) const {
    return division_.rows(static_cast<Index>(numbers.size()));
  }
  /// Whether the source is asked for the own rows of a batch alone.
  [[nodiscard]] bool divides_source() const noexcept {
    return division_.divides() && !source_.all();
  }

  void fill(Index number, Batch<Scalar>& batch) const {
    if (divides_source()) {
      fill_own(source_, division_, numbers_of(number), batch);
    } else {
      source_.fill(numbers_of(number), batch);
    }
  }
  void fill_next(Batch<Scalar>& batch) {
    if (thread_.joinable()) {
      take(batch);
    } else {
      fill(next_, batch);
    }
  }

  void take(Batch<Scalar>& batch) {
    std::unique_lock lock(mutex_);
    Slot& from = slot(next_);
    changed_.wait(lock, [&] { return from.is_full; });
    if (from.error) std::rethrow_exception(from.error);
    std::swap(batch, from.batch);
    from.is_full = false;
    lock.unlock();
    changed_.notify_all();
  }

  void fill_all() {
    for (; to_fill_ < batches(); ++to_fill_) {
      Slot& to = slot(to_fill_);
      {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return stopped_ || !to.is_full; });
        if (stopped_) return;
      }
      // Nobody else touches a slot that is not full.
      const std::exception_ptr error = exception_of([&] { fill(to_fill_, to.batch); });
      {
        const std::lock_guard lock(mutex_);
        to.error = error;
        to.is_full = true;
      }
      changed_.notify_all();
      if (error) return;
    }
  }

  const AnySource<Scalar>& source_;
  Division division_;
  std::vector<Index> numbers_;
  Index batch_size_;
  Index next_;
  /// The own rows of the next batch, where the processes divide it.
  Batch<Scalar> own_;
  Index to_fill_ = 0;
  std::vector<Slot> filled_;
  Mutex mutex_;
  ConditionVariable changed_;
  bool stopped_ = false;
  Thread thread_;
};

/// The numbers from `first` on.
[[nodiscard]] inline std::vector<Index> numbers_from(Index first, Index count) {
  std::vector<Index> numbers(static_cast<std::size_t>(count));
  std::iota(numbers.begin(), numbers.end(), first);
  return numbers;
}

}  // namespace strata::detail::inline STRATA_RUNTIME
