#pragma once

#include <strata/io/common/layers.hpp>

// All layers of files are compiled once, in loaders_*.cpp; see instances.hpp.

#define STRATA_TEST_LOADER(KEYWORD, SCALAR) KEYWORD template class strata::io::LayerMaker<SCALAR>;

STRATA_TEST_LOADER(extern, float)
STRATA_TEST_LOADER(extern, double)
