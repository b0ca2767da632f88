#pragma once

#if defined(_WIN32)

// The functions of Windows, without its macros that stand in the way of C++.

#ifndef NOMINMAX
#define NOMINMAX
#endif
#ifndef WIN32_LEAN_AND_MEAN
#define WIN32_LEAN_AND_MEAN
#endif
#include <windows.h>

#include <string>
#include <string_view>

namespace strata::detail {

/// UTF-8 as Windows takes names. Text that is not UTF-8 becomes an empty name.
[[nodiscard]] inline std::wstring windows_text(std::string_view utf8) {
  const int size = static_cast<int>(utf8.size());
  const auto convert = [&](wchar_t* to, int most) {
    return ::MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, utf8.data(), size, to, most);
  };
  std::wstring text(static_cast<std::size_t>(convert(nullptr, 0)), L'\0');
  (void)convert(text.data(), static_cast<int>(text.size()));
  return text;
}

/// What an error of GetLastError() means, as UTF-8.
[[nodiscard]] inline std::string windows_message(DWORD error) {
  wchar_t text[512];
  DWORD length = ::FormatMessageW(FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS,
                                  nullptr, error, 0, text, 512, nullptr);
  while (length > 0 && (text[length - 1] <= L' ' || text[length - 1] == L'.')) --length;
  if (length == 0) return "error " + std::to_string(error);
  const auto convert = [&](char* to, int most) {
    return ::WideCharToMultiByte(CP_UTF8, 0, text, static_cast<int>(length), to, most, nullptr,
                                 nullptr);
  };
  std::string message(static_cast<std::size_t>(convert(nullptr, 0)), '\0');
  (void)convert(message.data(), static_cast<int>(message.size()));
  return message;
}

}  // namespace strata::detail

#endif
