#pragma once

#include <initializer_list>

#include <strata/base/message_definitions.hpp>
#include <strata/base/sizes_definitions.hpp>
#include <strata/contracts/description_definitions.hpp>
#include <strata/contracts/state_parts_definitions.hpp>
#include <strata/error.hpp>

// Messages, sizes and descriptions of layers, which all code of the library needs.

namespace strata::messages {

template void fail<ShapeError>(std::initializer_list<Piece>);
template void fail<ValueError>(std::initializer_list<Piece>);
template void fail<MemoryError>(std::initializer_list<Piece>);
template void fail<StateError>(std::initializer_list<Piece>);
template void fail<FileError>(std::initializer_list<Piece>);
template void fail<FormatError>(std::initializer_list<Piece>);

}  // namespace strata::messages
