// What is no callback, what cannot be copied for each fit, and a function that would never be
// called.
// expect: strata: this callback has none of the functions on_train_begin\(run\)
// expect: strata: a callback must be copyable, since each fit has a copy of its own
// expect: strata: a function of this callback does not take what it is called with
#include <memory>

#include <strata/strata.hpp>

struct Owner {
  std::unique_ptr<int> number;
  void on_train_begin(strata::TrainingRun&) {}
};

struct WithoutLogs {
  void on_train_begin(strata::TrainingRun&) {}
  void on_epoch_end(strata::TrainingRun&, int) {}
};

int main() {
  using namespace strata;
#ifdef STRATA_CONTROL
  const FitOptions<float> options{.callbacks = {EarlyStopping{}, ProgressBar{}}};
#else
  const FitOptions<float> options{.callbacks = {EarlyStopping{}, Adam{}, Owner{}, WithoutLogs{}}};
#endif
  return static_cast<int>(options.callbacks.size());
}
