#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include <strata/io/common/path.hpp>
#include <strata/io/common/source.hpp>
#include <strata/io/common/source_file.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME::io {

STRATA_INLINE Source::Source(const Path& path, std::uintmax_t limit)
    : name_(path.text()), file_(std::make_shared<SourceFile>(name_, limit)) {}

STRATA_INLINE std::span<const std::byte> Source::bytes() const {
  return file_ ? file_->read_all() : bytes_;
}

STRATA_INLINE std::span<const std::byte> Source::head(std::size_t count) const {
  return file_ ? file_->read(count) : bytes_.first(std::min(count, bytes_.size()));
}

STRATA_INLINE std::uintmax_t Source::size() const { return file_ ? file_->size() : bytes_.size(); }

STRATA_INLINE std::string_view Source::text() const {
  const auto all = bytes();
  return {reinterpret_cast<const char*>(all.data()), all.size()};
}

}  // namespace strata::inline STRATA_RUNTIME::io
