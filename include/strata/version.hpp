#pragma once

namespace strata {

// The one place where the version is written. CMake reads it from here and refuses to configure
// if the numbers and the text differ.
/// Major version: changes that break user code.
inline constexpr int version_major = 0;
/// Minor version: additions.
inline constexpr int version_minor = 1;
/// Patch version: corrections.
inline constexpr int version_patch = 0;
/// The version as text, "major.minor.patch".
inline constexpr const char* version_string = "0.1.0";

}  // namespace strata
