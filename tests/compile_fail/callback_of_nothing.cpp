// What is no callback, and what cannot be copied for each fit.
// expect: strata: this callback has none of the functions on_train_begin\(run\)
// expect: strata: a callback must be copyable, since each fit has a copy of its own
#include <memory>

#include <strata/strata.hpp>

struct Owner {
  std::unique_ptr<int> number;
  void on_train_begin(strata::TrainingRun&) {}
};

int main() {
  using namespace strata;
#ifdef STRATA_CONTROL
  const FitOptions<float> options{.callbacks = {EarlyStopping{}, ProgressBar{}}};
#else
  const FitOptions<float> options{.callbacks = {EarlyStopping{}, Adam{}, Owner{}}};
#endif
  return static_cast<int>(options.callbacks.size());
}
