// A program without exceptions: a stream over a model of fixed sizes, a model chosen at run time, a
// training. With an argument it makes the error of this name, which ends in its handler, or, with
// "default", in strata's.

#include <cmath>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string_view>
#include <vector>

#include <strata/strata.hpp>

#ifdef __cpp_exceptions
#error "this program is compiled with -fno-exceptions"
#endif

using namespace strata;

namespace {

using Amp = Sequential<LSTM<float, 1, 8, return_sequences>, Dense<float, 8, 1>>;

void print_and_leave(const Error& error) {
  std::printf("handler: %s\n", error.what());
  std::fflush(stdout);
  std::_Exit(0);
}

int failures = 0;

void require(bool fact, const char* what) {
  if (fact) return;
  std::printf("not so: %s\n", what);
  ++failures;
}

int compute() {
  Amp amp;
  Stream stream{amp};
  std::vector<float> block(64, 0.5f);
  stream.process(block, block);
  Tensor<float> x({1, 64, 1});
  for (float& value : x.values()) value = 0.5f;
  const Tensor<float> y = amp.predict(x);
  require(std::abs(y(0, 63, 0) - block[63]) < 1e-6f, "a stream computes what the model computes");
  Stream other{amp};
  stream.swap_weights(other);
  stream.update(amp);

  Sequential<float> model;
  model.add(Input{Dynamic, 1});
  model.add(LSTM{4, return_sequences});
  model.add(Dense{1});
  model.compile(Adam{}, MeanSquaredError{});
  model.set_threads(2);
  const History history = model.fit(x, x, {.epochs = 2, .verbose = 0});
  require(history["loss"].size() == 2, "a model is trained");
  require(set_error_handler(print_and_leave) == nullptr, "at first there is no handler");
  require(set_error_handler(nullptr) == print_and_leave, "the handler before is returned");
  return failures;
}

void fail(std::string_view error) {
  if (error == "default") {
    std::signal(SIGABRT, [](int) { std::_Exit(0); });
  } else {
    set_error_handler(print_and_leave);
  }
  if (error == "layer") {
    Sequential<float> model;
    model.add(Input{Dynamic, 1});
    model.add(LSTM{4});
    model.add(LSTM{4});
  }
  Amp amp;
  Stream stream{amp};
  std::vector<float> block(64);
  stream.process(block, std::span(block).first(63));
}

}  // namespace

int main(int count, char** arguments) {
  if (count == 1) return compute();
  fail(arguments[1]);
  return 1;
}
