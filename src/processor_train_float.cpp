#include "processor_train.hpp"

template void strata::detail::put_training(ProcessorCode<float>&);
