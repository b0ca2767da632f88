#pragma once

#include <strata/mpi/group.hpp>

#include <exception>

namespace strata::mpi {

/// MPI from the constructor to the destructor, for main:
///
///   int main(int argc, char** argv) {
///     strata::mpi::Session session(argc, argv);
///
/// Where an exception leaves the scope, the job ends: MPI_Abort, since other processes may wait for
/// this one.
class Session {
 public:
  /// MPI_Init. Throws StateError where MPI is initialized already, or where it does not allow a
  /// process to have threads.
  Session(int& argc, char**& argv) {
    int initialized = 0;
    MPI_Initialized(&initialized);
    if (initialized) throw StateError("mpi::Session: MPI is initialized already");
    int provided = 0;
    MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &provided);
    if (provided < MPI_THREAD_FUNNELED) {
      throw StateError("mpi::Session: this MPI does not allow a process to have threads");
    }
  }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session() {
    if (std::uncaught_exceptions() > exceptions_) MPI_Abort(MPI_COMM_WORLD, 1);
    MPI_Finalize();
  }

  /// Of this process in MPI_COMM_WORLD, from 0 on.
  [[nodiscard]] int rank() const {
    int rank = 0;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    return rank;
  }
  /// The number of processes.
  [[nodiscard]] int size() const {
    int size = 1;
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    return size;
  }

 private:
  int exceptions_ = std::uncaught_exceptions();
};

}  // namespace strata::mpi
