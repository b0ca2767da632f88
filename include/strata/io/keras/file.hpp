#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <strata/io/common/json.hpp>
#include <strata/io/common/object_reader.hpp>
#include <strata/io/common/source.hpp>
#include <strata/io/keras/archive.hpp>
#include <strata/io/keras/context.hpp>
#include <strata/io/keras/hdf5_file.hpp>
#include <strata/io/keras/model.hpp>
#include <strata/io/keras/version.hpp>
#include <strata/io/keras/weights.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME::io {

/// The contents of a file that Keras wrote: a .keras archive, a legacy .h5 model, or weights alone.
struct KerasFile {
  /// Empty where the file holds weights alone.
  std::optional<KerasModel> model;
  KerasWeights weights;
};

[[nodiscard]] inline KerasFile read_keras_archive(const Source& source, bool stateful) {
  const Where where = source.where();
  const KerasArchive archive(source.bytes(), where);
  const auto text = [](const std::vector<std::byte>& bytes) {
    return std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  };
  const Where about = where.in(KerasArchive::metadata);
  const auto metadata_bytes = archive.read(KerasArchive::metadata);
  const Json metadata_json = parse_json(text(metadata_bytes), about);
  ObjectReader metadata(metadata_json, about);
  const auto version =
      KerasVersion::of(metadata.get<std::string>("keras_version"), about.in("keras_version"));
  // The date of saving and the backend of Keras have no influence on the model.
  metadata.ignore({"date_saved", "backend"});
  metadata.finish();
  const auto config = archive.read(KerasArchive::config);
  KerasModel model = keras_model(text(config), {version, stateful}, where.in(KerasArchive::config));
  const auto weights = archive.read(KerasArchive::weights);
  Hdf5File file(weights, where.in(KerasArchive::weights));
  return {std::move(model), KerasWeights(file)};
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

/// Reads either kind of file, found out from its first bytes. `stateful`: whether layers may be
/// stateful. Throws FormatError on a file that is neither a .keras archive nor HDF5, on damaged
/// files, and on settings and layers that strata does not have.
[[nodiscard]] inline KerasFile read_keras_file(const Source& source, bool stateful = false) {
  const auto head = source.head(8);
  if (KerasArchive::is_archive(head)) return read_keras_archive(source, stateful);
  if (Hdf5File::is_hdf5(head)) return read_keras_hdf5(source, stateful);
  if (source.name().ends_with(".pb")) {
    source.where().refuse(
        "this is a part of a SavedModel of TensorFlow; load its folder with the TensorFlow that "
        "saved it, and save the model as one file: model.save(\"m.keras\")");
  }
  source.where().refuse("this is neither a .keras archive nor an HDF5 file");
}

}  // namespace strata::inline STRATA_RUNTIME::io
