#include <strata/mpi.hpp>
#include <strata/strata.hpp>

using namespace strata;

int main(int argc, char** argv) {
  mpi::Session session(argc, argv);
  Tensor<float> x({8, 3, 1}), y({8, 1});
  Sequential model{LSTM{2}, Dense{1}};
  model.compile(SGD{}, MeanSquaredError{});
  const History history = mpi::fit(model, x, y, {.epochs = 2, .verbose = 0});
  return session.size() == 1 && history["loss"].size() == 2 ? 0 : 1;
}
