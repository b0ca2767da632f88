#include <strata/io/keras/file.hpp>

int main() {
  // All layers, which load_keras knows, would take long to compile.
  const auto file = strata::io::read_keras_file(std::string(MODEL));
  return !file.model && file.weights.count() == 85 ? 0 : 1;
}
