#pragma once

#include <cstddef>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <strata/io/common/json.hpp>
#include <strata/io/common/object_reader.hpp>
#include <strata/io/common/source.hpp>
#include <strata/io/keras/context.hpp>
#include <strata/io/keras/folder.hpp>
#include <strata/io/keras/hdf5_file.hpp>
#include <strata/io/keras/model.hpp>
#include <strata/io/keras/version.hpp>
#include <strata/io/keras/weights.hpp>
#include <strata/support/open_file.hpp>
#include <strata/target.hpp>

#if !defined(STRATA_WITHOUT_LIBZIP)
#include <strata/io/keras/archive.hpp>
#endif

namespace strata::inline STRATA_RUNTIME::io {

/// The contents of a file that Keras wrote: a .keras archive, the folder of such files, a legacy
/// .h5 model, or weights alone.
struct KerasFile {
  /// Empty where the file holds weights alone.
  std::optional<KerasModel> model;
  KerasWeights weights;
};

[[nodiscard]] inline KerasFile read_keras_folder(const KerasFolder& folder, const Where& where,
                                                 bool stateful) {
  const auto text = [](std::span<const std::byte> bytes) {
    return std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  };
  const Where about = where.in(keras_metadata);
  const Json metadata_json = parse_json(text(folder.metadata), about);
  ObjectReader metadata(metadata_json, about);
  const auto version =
      KerasVersion::of(metadata.get<std::string>("keras_version"), about.in("keras_version"));
  // The date of saving and the backend of Keras have no influence on the model.
  metadata.ignore({"date_saved", "backend"});
  metadata.finish();
  KerasModel model = keras_model(text(folder.config), {version, stateful}, where.in(keras_config));
  Hdf5File file(folder.weights, where.in(keras_weights));
  return {std::move(model), KerasWeights(file)};
}

/// Files beside the three, such as a README, are left alone.
[[nodiscard]] inline KerasFile read_keras_folder(const Source& source, bool stateful) {
  const auto file = [&](const char* name) { return Source(Path(source.name() + "/" + name)); };
  const Source metadata = file(keras_metadata);
  const Source config = file(keras_config);
  const Source weights = file(keras_weights);
  return read_keras_folder({metadata.bytes(), config.bytes(), weights.bytes()}, source.where(),
                           stateful);
}

[[nodiscard]] inline bool is_zip(std::span<const std::byte> head) {
  return head.size() >= 4 && std::memcmp(head.data(), "PK\x03\x04", 4) == 0;
}

[[nodiscard]] inline KerasFile read_keras_archive(const Source& source,
                                                  [[maybe_unused]] bool stateful) {
  const Where where = source.where();
#if defined(STRATA_WITHOUT_LIBZIP)
  where.refuse(
      "this program was compiled without libzip, which unpacks .keras archives: unpack the file, "
      "and load the folder or a KerasFolder");
#else
  const KerasArchive archive(source.bytes(), where);
  const auto metadata = archive.read(keras_metadata);
  const auto config = archive.read(keras_config);
  const auto weights = archive.read(keras_weights);
  return read_keras_folder({metadata, config, weights}, where, stateful);
#endif
}

[[nodiscard]] inline KerasFile read_keras_hdf5(const Source& source, bool stateful) {
  Hdf5File file(source.bytes(), source.where());
  std::optional<KerasModel> model;
  if (const auto config = file.text("/", "model_config")) {
    const auto text = file.text("/", "keras_version");
    if (!text) {
      source.where()
          .in("keras_version")
          .refuse(
              "is missing, as in files of Keras 1; load the file with Keras 2 and save it anew");
    }
    const auto version = KerasVersion::of(*text, source.where().in("keras_version"));
    model = keras_model(*config, {version, stateful}, source.where().in("model_config"));
  }
  return {std::move(model), KerasWeights(file)};
}

/// Reads any of these kinds, found out from the first bytes. `stateful`: whether layers may be
/// stateful. Throws FormatError on a file that is neither a .keras archive nor HDF5, on damaged
/// files, and on settings and layers that strata does not have.
[[nodiscard]] inline KerasFile read_keras_file(const Source& source, bool stateful = false) {
  if (source.is_file() && detail::exists(source.name() + "/" + keras_metadata)) {
    return read_keras_folder(source, stateful);
  }
  const auto head = source.head(8);
  if (is_zip(head)) return read_keras_archive(source, stateful);
  if (Hdf5File::is_hdf5(head)) return read_keras_hdf5(source, stateful);
  if (source.name().ends_with(".pb")) {
    source.where().refuse(
        "this is a part of a SavedModel of TensorFlow; load its folder with the TensorFlow that "
        "saved it, and save the model as one file: model.save(\"m.keras\")");
  }
  source.where().refuse("this is neither a .keras archive nor an HDF5 file");
}

}  // namespace strata::inline STRATA_RUNTIME::io
