// One value for a whole sequence: an LSTM as the output layer.
//
// Teaches the shapes. Data is (batch, steps, features); an LSTM reads a sequence to its end and
// gives its last output only, (batch, units). On screen: a model, the sequence 0.1, 0.2, 0.3, and a
// prediction of shape (1, 1). The weights are fresh random numbers, so its value says nothing yet.

#include <strata/strata.hpp>

#include <exception>
#include <iostream>

using namespace strata;

int main() {
  try {
    const Sequential model{Input{3, 1}, LSTM{1}};
    std::cout << model.summary() << '\n';

    const Tensor<float> data({1, 3, 1}, {0.1f, 0.2f, 0.3f});
    const Tensor<float> prediction = model.predict(data);

    std::cout << "data, shape " << to_string(data.shape()) << ":\n" << data << "\n\n";
    std::cout << "prediction, shape " << to_string(prediction.shape()) << ":\n"
              << prediction << '\n';
    return prediction.shape() == Shape{1, 1} ? 0 : 1;
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
