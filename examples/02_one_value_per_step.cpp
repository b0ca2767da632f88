// One value for each step of a sequence: return_sequences.
//
// Teaches the word that the next layer of a stack needs. With return_sequences an LSTM gives its
// output at every step, (batch, steps, units); without, only the last of them. On screen: the
// prediction of shape (1, 3, 1) for the sequence 0.1, 0.2, 0.3, and, from a model with the same
// weights but without the word, the last of its values alone.

#include <strata/strata.hpp>

#include <exception>
#include <iostream>

using namespace strata;

int main() {
  try {
    const Sequential each{Input{3, 1}, LSTM{1, return_sequences}};
    std::cout << each.summary() << '\n';

    const Tensor<float> data({1, 3, 1}, {0.1f, 0.2f, 0.3f});
    const Tensor<float> steps = each.predict(data);
    std::cout << "with return_sequences, shape " << to_string(steps.shape()) << ":\n"
              << steps << "\n\n";

    Sequential last{Input{3, 1}, LSTM{1}};
    last.set_weights(each.weights());
    const Tensor<float> end = last.predict(data);
    std::cout << "without, shape " << to_string(end.shape()) << ":\n" << end << '\n';
    return steps.shape() == Shape{1, 3, 1} && end(0, 0) == steps(0, 2, 0) ? 0 : 1;
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
