#include "loaders.hpp"

STRATA_TEST_LOADER(, float)
