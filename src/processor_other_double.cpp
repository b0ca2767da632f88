#include "processor_layers.hpp"

template void strata::detail::put_other_layers(HeldTables<double>&);
