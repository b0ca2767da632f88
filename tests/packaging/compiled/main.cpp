// A program that links strata::compiled, built without any flag. It prints the instruction set
// whose code computes; `app <set>` asks for one by use_processor.
#include <cmath>
#include <cstdio>
#include <cstring>

#include <strata/processor.hpp>
#include <strata/strata.hpp>

using namespace strata;

namespace {

bool is_near(float a, float b) { return std::abs(a - b) < 1e-5f; }

template <class Model>
bool learns(Model& model, const Tensor<float>& x, const Tensor<float>& y) {
  model.compile(Adam{}, MeanSquaredError{});
  const History history = model.fit(x, y, {.epochs = 3, .verbose = 0});
  return history["loss"].back() < history["loss"].front();
}

/// A model whose sizes are chosen at run time and one of fixed sizes agree, whichever code runs.
bool agree() {
  Sequential<> later;
  later.add(Input{4, 3});
  later.add(LSTM{8, return_sequences});
  later.add(Dense{2});
  later.initialize(1);
  Sequential<LSTM<float, 3, 8, return_sequences>, Dense<float, 8, 2>> fixed;
  fixed.set_weights(later.weights());

  Tensor<float> x({2, 4, 3});
  for (float& value : x.values()) value = 0.25f;
  const Tensor<float> a = later.predict(x);
  const Tensor<float> b = fixed.predict(x);
  Stream stream{later};
  bool good = a.shape() == b.shape();
  for (Index t = 0; good && t < 4; ++t) {
    const auto y = stream.step(std::span<const float>(x.data() + t * 3, 3));
    for (Index u = 0; u < 2; ++u) {
      good = good && is_near(a(0, t, u), b(0, t, u)) &&
             is_near(a(0, t, u), y[static_cast<std::size_t>(u)]);
    }
  }

  const Tensor<float> y({2, 4, 2});
  return good && learns(later, x, y) && learns(fixed, x, y);
}

/// Whether an error of the code that was chosen at run time arrives with its type.
bool refuses() {
  Sequential<> model;
  model.add(Embedding{5, 2});
  try {
    (void)model.predict(Tensor<float>({1, 1}, {7}));
  } catch (const ValueError&) {
    return true;
  }
  return false;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    for (const Processor one : {Processor::baseline, Processor::avx2, Processor::avx512}) {
      if (argc > 1 && std::strcmp(argv[1], name(one)) == 0) use_processor(one);
    }
    std::printf("processor: %s\n", name(processor()));
    return agree() && refuses() ? 0 : 1;
  } catch (const Error& error) {
    std::printf("error: %s\n", error.what());
    return 2;
  }
}
