#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <strata/io/arrays.hpp>
#include <strata/io/element.hpp>
#include <strata/io/keras/hdf5_handle.hpp>
#include <strata/io/where.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_TARGET::io {

/// An HDF5 file in memory, as far as models need it: groups, arrays of numbers, attributes of text.
/// Nothing outside of the file is ever read: only hard links, only arrays that lie in the file,
/// only the filters that HDF5 brings. Everything throws FormatError.
class Hdf5File {
 public:
  /// The bytes must outlive it.
  Hdf5File(std::span<const std::byte> bytes, Where where)
      : where_(std::move(where)), file_size_(bytes.size()), file_(open(bytes, where_)) {}

  [[nodiscard]] static bool is_hdf5(std::span<const std::byte> bytes) {
    static constexpr char signature[] = "\x89HDF\r\n\x1a\n";
    return bytes.size() >= 8 && std::memcmp(bytes.data(), signature, 8) == 0;
  }

  [[nodiscard]] const Where& where() const noexcept { return where_; }

  /// Whether there is a group at a path of groups.
  [[nodiscard]] bool has_group(const std::string& path) const {
    std::size_t end = 0;
    while (end != std::string::npos) {
      end = path.find('/', end + 1);
      const std::string part = path.substr(0, end);
      if (kind_of(part) != Kind::group) return false;
    }
    return true;
  }

  /// The text of an attribute of an object; nothing when there is none of this name.
  [[nodiscard]] std::optional<std::string> text(const std::string& object,
                                                const std::string& name) const {
    auto all = texts(object, name);
    if (!all) return std::nullopt;
    if (all->size() != 1) {
      place(object, name).expected("one text", std::to_string(all->size()));
    }
    return std::move(all->front());
  }

  /// The texts of an attribute; nothing when there is none of this name.
  [[nodiscard]] std::optional<std::vector<std::string>> texts(const std::string& object,
                                                              const std::string& name) const {
    const Where here = place(object, name);
    const Hdf5Handle owner(H5Oopen(file_.get(), object.c_str(), H5P_DEFAULT), H5Oclose);
    if (!owner) here.refuse("the HDF5 object cannot be opened");
    const htri_t there = H5Aexists(owner.get(), name.c_str());
    if (there == 0) return std::nullopt;
    const Hdf5Handle attribute(H5Aopen(owner.get(), name.c_str(), H5P_DEFAULT), H5Aclose);
    if (there < 0 || !attribute) here.refuse("the HDF5 attribute cannot be opened");
    const Hdf5Handle space(H5Aget_space(attribute.get()), H5Sclose);
    const Hdf5Handle type(H5Aget_type(attribute.get()), H5Tclose);
    if (!space || !type) here.refuse("the HDF5 attribute cannot be read");
    const std::size_t count = count_of(space, here);
    if (count == 0) return std::vector<std::string>();
    if (H5Tget_class(type.get()) != H5T_STRING) here.expected("text", "another type");
    return H5Tis_variable_str(type.get()) > 0 ? variable_texts(attribute, type, space, count, here)
                                              : fixed_texts(attribute, type, count, here);
  }

  /// Reads every array below a group, "layers/lstm/cell/vars/0", but for those of which
  /// leave_out(path) is true.
  void read_arrays(const std::string& group, NamedArrays& arrays,
                   const std::function<bool(const std::string&)>& leave_out) {
    objects_ = 0;
    read_group(group, 0, arrays, leave_out);
  }

 private:
  enum class Kind { none, group, array, other };

  static constexpr std::size_t max_objects = 20'000;
  static constexpr int max_depth = 32;
  /// A byte of a compressed file becomes no more, by the format of deflate.
  static constexpr std::uint64_t max_expansion = 1032;

  [[nodiscard]] static Hdf5Handle open(std::span<const std::byte> bytes, const Where& where) {
    const Hdf5Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
    // The library copies the bytes.
    if (!access || H5Pset_fapl_core(access.get(), 1 << 16, false) < 0 ||
        H5Pset_file_image(access.get(), const_cast<std::byte*>(bytes.data()), bytes.size()) < 0) {
      where.refuse("the HDF5 library has no room for the file");
    }
    Hdf5Handle file(H5Fopen("strata in memory", H5F_ACC_RDONLY, access.get()), H5Fclose);
    if (!file) where.refuse("this is not an HDF5 file, or it is damaged");
    return file;
  }

  [[nodiscard]] Where place(const std::string& object, const std::string& name) const {
    return object == "/" ? where_.in(in_quotes(name)) : where_.in(object).in(in_quotes(name));
  }

  /// Of a path whose parents are groups.
  [[nodiscard]] Kind kind_of(const std::string& path) const {
    if (path != "/") {
      if (H5Lexists(file_.get(), path.c_str(), H5P_DEFAULT) <= 0) return Kind::none;
      H5L_info_t link;
      if (H5Lget_info(file_.get(), path.c_str(), &link, H5P_DEFAULT) < 0 ||
          link.type != H5L_TYPE_HARD) {
        where_.in(path).refuse("links out of their place are not followed");
      }
    }
    const Hdf5Handle object(H5Oopen(file_.get(), path.c_str(), H5P_DEFAULT), H5Oclose);
    if (!object) where_.in(path).refuse("the HDF5 object cannot be opened");
    switch (H5Iget_type(object.get())) {
      case H5I_GROUP:
        return Kind::group;
      case H5I_DATASET:
        return Kind::array;
      default:
        return Kind::other;
    }
  }

  void read_group(const std::string& path, int depth, NamedArrays& arrays,
                  const std::function<bool(const std::string&)>& leave_out) {
    const Where here = path == "/" ? where_ : where_.in(path);
    if (depth >= max_depth) here.refuse("groups are nested too deep");
    for (const std::string& name : names_in(path, here)) {
      const std::string inner = path == "/" ? name : path + "/" + name;
      if (leave_out(inner)) continue;
      if (++objects_ > max_objects) {
        here.refuse("there are more than " + std::to_string(max_objects) + " objects");
      }
      switch (kind_of(inner)) {
        case Kind::group:
          read_group(inner, depth + 1, arrays, leave_out);
          break;
        case Kind::array:
          read_array(inner, arrays);
          break;
        default:
          where_.in(inner).expected("a group or an array", "another object");
      }
    }
  }

  [[nodiscard]] std::vector<std::string> names_in(const std::string& path,
                                                  const Where& here) const {
    const Hdf5Handle group(H5Gopen2(file_.get(), path.c_str(), H5P_DEFAULT), H5Gclose);
    H5G_info_t info;
    if (!group || H5Gget_info(group.get(), &info) < 0) here.refuse("the group cannot be opened");
    if (info.nlinks > max_objects) {
      here.refuse("the group has " + std::to_string(info.nlinks) + " members");
    }
    std::vector<std::string> names;
    for (hsize_t i = 0; i < info.nlinks; ++i) {
      std::array<char, 1024> name{};
      const ssize_t length = H5Lget_name_by_idx(group.get(), ".", H5_INDEX_NAME, H5_ITER_INC, i,
                                                name.data(), name.size(), H5P_DEFAULT);
      if (length < 0) here.refuse("the names in the group cannot be read");
      const std::string text(name.data());
      if (static_cast<std::size_t>(length) != text.size() || text.empty() || text == "." ||
          text.find('/') != std::string::npos) {
        here.refuse("has a member with a name that is none: " + in_quotes(text));
      }
      names.push_back(text);
    }
    return names;
  }

  void read_array(const std::string& path, NamedArrays& arrays) {
    const Where here = where_.in(path);
    const Hdf5Handle dataset(H5Dopen2(file_.get(), path.c_str(), H5P_DEFAULT), H5Dclose);
    if (!dataset) here.refuse("the array cannot be opened");
    const Hdf5Handle space(H5Dget_space(dataset.get()), H5Sclose);
    const Hdf5Handle type(H5Dget_type(dataset.get()), H5Tclose);
    if (!space || !type) here.refuse("the array cannot be read");
    const Element element = is_bfloat16(path, type) ? Element::bfloat16 : element_of(type, here);
    std::vector<Index> sizes = sizes_in(space, here);
    const std::size_t bytes = checked_count(sizes, here) * size_of(element);
    if (bytes > 0) check_storage(dataset, bytes, here);
    std::vector<std::byte> values(bytes);
    if (bytes > 0 &&
        H5Dread(dataset.get(), type.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()) < 0) {
      here.refuse("the numbers cannot be read: the file is damaged");
    }
    if (H5Tget_order(type.get()) == H5T_ORDER_BE) swap_bytes(values, size_of(element));
    arrays.add(path, element, std::move(sizes), std::move(values));
  }

  /// Numbers that lie in the file itself, as many as their sizes say, so that no more is allocated
  /// than the file can fill.
  void check_storage(const Hdf5Handle& dataset, std::size_t bytes, const Where& here) {
    const Hdf5Handle plan(H5Dget_create_plist(dataset.get()), H5Pclose);
    if (!plan) here.refuse("the array cannot be read");
    const H5D_layout_t layout = H5Pget_layout(plan.get());
    const int filters = H5Pget_nfilters(plan.get());
    if (layout != H5D_CONTIGUOUS && layout != H5D_CHUNKED && layout != H5D_COMPACT) {
      here.refuse("the array lies outside of the file");
    }
    if (filters < 0 || H5Pget_external_count(plan.get()) != 0) {
      here.refuse("the array lies outside of the file");
    }
    for (int i = 0; i < filters; ++i) {
      unsigned flags = 0;
      std::size_t values = 0;
      unsigned settings = 0;
      const H5Z_filter_t filter = H5Pget_filter2(plan.get(), static_cast<unsigned>(i), &flags,
                                                 &values, nullptr, 0, nullptr, &settings);
      if (filter != H5Z_FILTER_DEFLATE && filter != H5Z_FILTER_SHUFFLE &&
          filter != H5Z_FILTER_FLETCHER32) {
        here.expected("no filter but deflate, shuffle and fletcher32",
                      "filter " + std::to_string(filter));
      }
    }
    const std::uint64_t stored = H5Dget_storage_size(dataset.get());
    const std::uint64_t most = filters > 0 ? stored * max_expansion : stored;
    if (stored > file_size_ - stored_ || bytes > most) {
      here.refuse("the array of " + std::to_string(bytes) +
                  " bytes is not in the file, which has " + std::to_string(stored) + " for it");
    }
    stored_ += stored;
    if (layout == H5D_CHUNKED) check_chunks(plan, here);
  }

  void check_chunks(const Hdf5Handle& plan, const Where& here) const {
    std::array<hsize_t, H5S_MAX_RANK> sizes{};
    const int rank = H5Pget_chunk(plan.get(), H5S_MAX_RANK, sizes.data());
    std::vector<Index> chunk;
    for (int i = 0; i < rank; ++i) {
      chunk.push_back(static_cast<Index>(sizes[static_cast<std::size_t>(i)]));
    }
    if (rank < 0 || checked_count(chunk, here) > max_expansion * file_size_) {
      here.refuse("the pieces of the array are larger than the file");
    }
  }

  [[nodiscard]] static std::vector<Index> sizes_in(const Hdf5Handle& space, const Where& here) {
    if (H5Sis_simple(space.get()) <= 0 || H5Sget_simple_extent_type(space.get()) == H5S_NULL) {
      here.expected("an array", "something without sizes");
    }
    std::array<hsize_t, H5S_MAX_RANK> sizes{};
    const int rank = H5Sget_simple_extent_dims(space.get(), sizes.data(), nullptr);
    if (rank < 0) here.refuse("the sizes cannot be read");
    std::vector<Index> list;
    for (int i = 0; i < rank; ++i) {
      const hsize_t size = sizes[static_cast<std::size_t>(i)];
      if (size > static_cast<hsize_t>(std::numeric_limits<Index>::max())) {
        here.expected("a size that memory can hold", std::to_string(size));
      }
      list.push_back(static_cast<Index>(size));
    }
    return list;
  }

  [[nodiscard]] std::size_t count_of(const Hdf5Handle& space, const Where& here) const {
    if (H5Sget_simple_extent_type(space.get()) == H5S_NULL) return 0;
    const std::size_t count = checked_count(sizes_in(space, here), here);
    if (count > file_size_) here.refuse("has more texts than the file has bytes");
    return count;
  }

  [[nodiscard]] static Element element_of(const Hdf5Handle& type, const Where& here) {
    const std::pair<hid_t, Element> known[] = {{H5T_IEEE_F32LE, Element::float32},
                                               {H5T_IEEE_F32BE, Element::float32},
                                               {H5T_IEEE_F64LE, Element::float64},
                                               {H5T_IEEE_F64BE, Element::float64}};
    for (const auto& [id, element] : known) {
      if (H5Tequal(type.get(), id) > 0) return element;
    }
    const std::size_t size = H5Tget_size(type.get());
    if (H5Tget_class(type.get()) == H5T_FLOAT && size == 2) {
      std::size_t sign = 0, exponent = 0, exponent_size = 0, fraction = 0, fraction_size = 0;
      if (H5Tget_fields(type.get(), &sign, &exponent, &exponent_size, &fraction, &fraction_size) >=
              0 &&
          sign == 15 && fraction == 0 && exponent == fraction_size) {
        if (exponent_size == 5 && H5Tget_ebias(type.get()) == 15) return Element::float16;
        if (exponent_size == 8 && H5Tget_ebias(type.get()) == 127) return Element::bfloat16;
      }
    }
    here.expected("numbers of float16, bfloat16, float32 or float64",
                  "another type of " + std::to_string(size) + " bytes");
  }

  /// As Keras writes it: bytes that HDF5 does not understand, with the name of their type.
  [[nodiscard]] bool is_bfloat16(const std::string& path, const Hdf5Handle& type) const {
    return H5Tget_class(type.get()) == H5T_OPAQUE && H5Tget_size(type.get()) == 2 &&
           text(path, "dtype") == "bfloat16";
  }

  static void swap_bytes(std::vector<std::byte>& values, std::size_t size) {
    for (std::size_t at = 0; at < values.size(); at += size) {
      for (std::size_t i = 0; i < size / 2; ++i)
        std::swap(values[at + i], values[at + size - 1 - i]);
    }
  }

  [[nodiscard]] std::vector<std::string> fixed_texts(const Hdf5Handle& attribute,
                                                     const Hdf5Handle& type, std::size_t count,
                                                     const Where& here) const {
    const std::size_t size = H5Tget_size(type.get());
    if (size == 0 || size > file_size_ / count) here.refuse("the texts are longer than the file");
    std::vector<char> letters(size * count);
    if (H5Aread(attribute.get(), type.get(), letters.data()) < 0) {
      here.refuse("the HDF5 attribute cannot be read");
    }
    std::vector<std::string> texts;
    for (std::size_t i = 0; i < count; ++i) {
      const char* const begin = letters.data() + i * size;
      texts.emplace_back(begin, strnlen(begin, size));
    }
    return texts;
  }

  [[nodiscard]] static std::vector<std::string> variable_texts(const Hdf5Handle& attribute,
                                                               const Hdf5Handle& type,
                                                               const Hdf5Handle& space,
                                                               std::size_t count,
                                                               const Where& here) {
    std::vector<char*> pointers(count, nullptr);
    const bool read = H5Aread(attribute.get(), type.get(), pointers.data()) >= 0;
    std::vector<std::string> texts;
    for (const char* pointer : pointers) texts.emplace_back(read && pointer ? pointer : "");
    if (read) H5Dvlen_reclaim(type.get(), space.get(), H5P_DEFAULT, pointers.data());
    if (!read) here.refuse("the HDF5 attribute cannot be read");
    return texts;
  }

  Hdf5Session session_;
  Where where_;
  std::uint64_t file_size_;
  /// Bytes of the file that arrays were read from.
  std::uint64_t stored_ = 0;
  std::size_t objects_ = 0;
  Hdf5Handle file_;
};

}  // namespace strata::inline STRATA_TARGET::io
