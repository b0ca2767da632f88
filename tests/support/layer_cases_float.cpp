#include "layer_cases_definitions.hpp"

namespace strata::test {

template std::vector<LayerCase<float>> layer_cases<float>();

}  // namespace strata::test
