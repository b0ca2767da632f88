#include "messages.hpp"

// What the code of an instruction set needs of the run-time half, where that code is a shared
// library.
