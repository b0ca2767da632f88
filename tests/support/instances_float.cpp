#include "instances.hpp"

STRATA_TEST_INSTANCES(, float)
