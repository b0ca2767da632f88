#pragma once

#include <exception>
#include <string>
#include <vector>

// What the functions that the page calls leave for it. One that can fail returns 0, or 1 with the
// error as text().

#define PAGE_EXPORT(name) extern "C" __attribute__((export_name(#name)))

namespace page {

/// JSON where there are several values, or the bytes of a file.
std::string& text();
std::vector<float>& values();

template <class F>
int call(F f) {
  try {
    f();
    return 0;
  } catch (const std::exception& error) {
    text() = error.what();
    return 1;
  }
}

}  // namespace page
