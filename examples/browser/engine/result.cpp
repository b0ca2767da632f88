#include "result.hpp"

#include <cstddef>

std::string& page::text() {
  static std::string text;
  return text;
}

std::vector<float>& page::values() {
  static std::vector<float> values;
  return values;
}

PAGE_EXPORT(text) const char* page_text() { return page::text().data(); }
PAGE_EXPORT(text_size) std::size_t page_text_size() { return page::text().size(); }
PAGE_EXPORT(values) const float* page_values() { return page::values().data(); }
PAGE_EXPORT(values_size) std::size_t page_values_size() { return page::values().size(); }
