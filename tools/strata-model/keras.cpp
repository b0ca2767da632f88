#include <strata/io/keras.hpp>

#include "formats.hpp"

std::vector<strata::tool::Format> strata::tool::keras_formats() {
  const auto load = [](const std::string& path) { return strata::load_keras(path); };
  return {{".keras", "models of Keras 3", load, {}},
          {".h5", "models of Keras 2 and 3, legacy", load, {}}};
}
