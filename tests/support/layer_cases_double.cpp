#include "layer_cases_definitions.hpp"

namespace strata::test {

template std::vector<LayerCase<double>> layer_cases<double>();

}  // namespace strata::test
