#pragma once

#if !__has_include(<hdf5.h>)
#error \
    "strata::keras needs HDF5: install libhdf5-dev (Debian, Ubuntu), hdf5-devel (Fedora) or hdf5 (Homebrew), and link strata::keras"
#endif

#include <hdf5.h>
#include <mutex>
#include <utility>

#include <strata/target.hpp>

namespace strata::inline STRATA_TARGET::io {

/// An identifier of the HDF5 library, which is closed in the end.
class Hdf5Handle {
 public:
  using Close = herr_t (*)(hid_t);

  Hdf5Handle(hid_t id, Close close) noexcept : id_(id), close_(close) {}
  Hdf5Handle(Hdf5Handle&& other) noexcept
      : id_(std::exchange(other.id_, H5I_INVALID_HID)), close_(other.close_) {}
  Hdf5Handle(const Hdf5Handle&) = delete;
  Hdf5Handle& operator=(const Hdf5Handle&) = delete;
  Hdf5Handle& operator=(Hdf5Handle&&) = delete;
  ~Hdf5Handle() {
    if (id_ >= 0) close_(id_);
  }

  [[nodiscard]] explicit operator bool() const noexcept { return id_ >= 0; }
  [[nodiscard]] hid_t get() const noexcept { return id_; }

 private:
  hid_t id_;
  Close close_;
};

/// While it lives, HDF5 is this thread's alone, prints nothing, and loads no filters from outside,
/// which a file could name and which would run as code. The settings of before come back.
class Hdf5Session {
 public:
  Hdf5Session() : lock_(mutex()) {
    H5Eget_auto2(H5E_DEFAULT, &printer_, &printer_data_);
    H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
    H5PLget_loading_state(&plugins_);
    H5PLset_loading_state(0);
  }
  Hdf5Session(const Hdf5Session&) = delete;
  Hdf5Session& operator=(const Hdf5Session&) = delete;
  ~Hdf5Session() {
    H5PLset_loading_state(plugins_);
    H5Eset_auto2(H5E_DEFAULT, printer_, printer_data_);
  }

 private:
  // The library is not safe in several threads unless it was built so.
  [[nodiscard]] static std::mutex& mutex() {
    static std::mutex one;
    return one;
  }

  std::scoped_lock<std::mutex> lock_;
  H5E_auto2_t printer_ = nullptr;
  void* printer_data_ = nullptr;
  unsigned plugins_ = 0;
};

}  // namespace strata::inline STRATA_TARGET::io
