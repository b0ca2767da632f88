#pragma once

#include <algorithm>
#include <cstddef>
#include <exception>
#include <system_error>
#include <utility>
#include <vector>

#include <strata/error_handler.hpp>
#include <strata/language/threads.hpp>
#include <strata/support/float_environment.hpp>
#include <strata/support/task.hpp>

namespace strata::detail {

/// Threads that share the tasks of a call of `run` with the caller. They start when a call first
/// has work for them, sleep between calls, and end with the pool.
class ThreadPool {
 public:
  /// A pool of `threads` threads, at least 1, of which the caller's is one.
  explicit ThreadPool(int threads) : threads_(threads) {}
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;
  ~ThreadPool() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    work_to_do_.notify_all();
    for (auto& helper : helpers_) helper.join();
  }

  /// Runs the tasks 0 to tasks - 1, at least one, and returns when all are done; see Threads::run.
  /// The caller runs tasks as well and only waits for tasks that other threads have begun, so a
  /// task may itself call `run`.
  void run(std::size_t tasks, Task task) {
    Job job(tasks, task);
    std::unique_lock lock(mutex_);
    const std::size_t helpers = start_helpers(tasks - 1);
    jobs_.push_back(&job);
    for (std::size_t i = 0; i < helpers; ++i) work_to_do_.notify_one();
    while (!job.all_begun()) run_next(job, lock);
    task_done_.wait(lock, [&] { return job.running == 0; });
    if (job.error) std::rethrow_exception(job.error);
  }

 private:
  /// One call of `run`. All members are guarded by the mutex.
  struct Job {
    Job(std::size_t how_many, Task what) : tasks(how_many), task(what) {}

    [[nodiscard]] bool all_begun() const noexcept { return next == tasks; }

    std::size_t tasks;
    Task task;
    std::size_t next = 0;
    std::size_t running = 0;
    std::exception_ptr error;
    std::size_t error_task = 0;
    /// That of the caller, which helpers take over, so that a task computes the same bits in every
    /// thread.
    FloatEnvironment floats;
  };

  /// Takes the next task of a job, of which there must be one, and runs it without the lock.
  void run_next(Job& job, std::unique_lock<Mutex>& lock) {
    const std::size_t i = job.next++;
    ++job.running;
    if (job.all_begun()) std::erase(jobs_, &job);
    lock.unlock();
    std::exception_ptr error = exception_of([&] { job.task(i); });
    lock.lock();
    if (error && !job.all_begun()) {
      // The job's exception is that of its first task that throws. Tasks begin in order, so every
      // task that has not begun comes behind this one and can be left out.
      job.next = job.tasks;
      std::erase(jobs_, &job);
    }
    if (error && (!job.error || i < job.error_task)) {
      job.error = std::move(error);
      job.error_task = i;
    }
    if (--job.running == 0 && job.all_begun()) task_done_.notify_all();
  }

  /// Starts helpers, at most one for each task, and returns how many can help. Where the system
  /// refuses a thread, or has none, there are fewer, and the work takes longer.
  std::size_t start_helpers(std::size_t tasks) {
    if (!has_threads) return 0;
    const std::size_t wanted = (std::min)(tasks, static_cast<std::size_t>(threads_ - 1));
    helpers_.reserve(wanted);
    (void)succeeds<std::system_error>([&] {
      while (helpers_.size() < wanted) helpers_.emplace_back([this] { help(); });
    });
    return (std::min)(wanted, helpers_.size());
  }

  void help() {
    std::unique_lock lock(mutex_);
    for (;;) {
      work_to_do_.wait(lock, [&] { return stopping_ || !jobs_.empty(); });
      if (stopping_) return;
      Job& job = *jobs_.front();
      job.floats.use();
      run_next(job, lock);
    }
  }

  const int threads_;
  Mutex mutex_;
  ConditionVariable work_to_do_;
  ConditionVariable task_done_;
  /// The jobs that have tasks which have not begun.
  std::vector<Job*> jobs_;
  std::vector<Thread> helpers_;
  bool stopping_ = false;
};

}  // namespace strata::detail
