#include "processor_layers.hpp"

template void strata::detail::put_gated_layers(HeldTables<double>&);
