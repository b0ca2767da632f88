#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <strata/contracts/description.hpp>
#include <strata/contracts/parameter.hpp>
#include <strata/io/common/arrays.hpp>
#include <strata/io/common/assign.hpp>
#include <strata/io/common/where.hpp>
#include <strata/io/keras/hdf5_file.hpp>
#include <strata/model/layer_names.hpp>
#include <strata/model/network.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME::io {

/// The weights in an HDF5 file that Keras wrote, in either of Keras' two layouts:
///
/// - Keras 3 names groups by the classes of the layers: layers/lstm_1/cell/vars/0;
/// - Keras 2, and .h5 files of Keras 3, name groups by the layers' names,
///   model_weights/first/first/lstm_cell/kernel:0, and keep lists of the names in attributes.
class KerasWeights {
 public:
  /// Reads all weights; the state of training, such as the optimizer's, is left out. Throws
  /// FormatError where the file is damaged or in neither layout.
  explicit KerasWeights(Hdf5File& file) : arrays_(file.where()) {
    for (const char* root : {"layers", "_layer_checkpoint_dependencies"}) {
      if (file.has_group(root)) class_root_ = root;
    }
    if (!class_root_.empty()) {
      file.read_arrays("/", arrays_, is_left_out);
      return;
    }
    const std::string group = file.has_group("model_weights") ? "model_weights" : "/";
    auto names = texts_of(file, group, "layer_names");
    if (!names) file.where().refuse("this HDF5 file holds no weights of Keras");
    const std::string prefix = group == "/" ? "" : group + "/";
    for (const std::string& name : *names) add_layer(file, prefix + name, name);
    if (file.has_group(prefix + "top_level_model_weights")) {
      add_layer(file, prefix + "top_level_model_weights", "top_level_model_weights");
    }
    file.read_arrays(group, arrays_, is_left_out);
  }

  /// The number of weights in all arrays.
  [[nodiscard]] std::size_t count() const {
    std::size_t numbers = 0;
    for (const std::string& name : arrays_.names()) {
      numbers += checked_count(arrays_.find(name)->shape, arrays_.where());
    }
    return numbers;
  }

  /// Gives the weights to a built model. Throws FormatError unless each parameter of the model has
  /// an array of its size and each array is used; the model keeps its own weights then.
  template <class Scalar>
  void give_to(Network<Scalar> network) {
    std::vector<Scalar> weights(static_cast<std::size_t>(network.parameter_count()));
    std::span<Scalar> rest = weights;
    std::map<std::string, int> uses;
    std::size_t with_weights = 0;
    for (std::size_t i = 0; i < network.size(); ++i) {
      const auto& layer = network.layers()[i];
      const auto parameters = layer.parameters();
      const LayerDescription description = layer.description();
      const std::string group = class_of(description);
      // Keras numbers the layers of a class whether they have weights or not.
      const int use = uses[group]++;
      if (parameters.empty()) continue;
      const Where here =
          arrays_.where().in("layer " + std::to_string(i) + " (" + layer.kind() + ")");
      std::vector<std::string> names;
      if (class_root_.empty()) {
        if (with_weights < layers_.size()) names = layers_[with_weights].arrays;
        ++with_weights;
      } else {
        if (group.empty()) here.refuse("Keras has no such layer");
        const std::string path =
            class_root_ + "/" + group + (use == 0 ? "" : "_" + std::to_string(use));
        add_names(description, path, parameters.size(), names);
      }
      if (names.size() != parameters.size()) {
        here.expected(std::to_string(parameters.size()) + " arrays", std::to_string(names.size()));
      }
      for (std::size_t p = 0; p < parameters.size(); ++p) {
        const std::size_t size = parameters[p].values.size();
        const Parameter<Scalar> parameter{parameters[p].name, parameters[p].shape,
                                          rest.first(size)};
        rest = rest.subspan(size);
        const Where field = here.in(parameter.name);
        if (class_root_.empty()) require_name(parameter.name, names[p], field);
        if (!arrays_.contains(names[p])) field.refuse("there is no array " + in_quotes(names[p]));
        assign(parameter, arrays_.take(names[p]), field.in(names[p]));
      }
    }
    if (class_root_.empty() && with_weights != layers_.size()) {
      arrays_.where().expected(std::to_string(with_weights) + " layers with weights",
                               std::to_string(layers_.size()));
    }
    arrays_.require_all_used();
    network.set_weights(weights);
  }

 private:
  /// A layer with weights in the layout of Keras 2, with the paths of its arrays.
  struct Layer {
    std::string name;
    std::vector<std::string> arrays;
  };

  /// Whether a group or array is no weight: the state of the optimizer, of metrics and of random
  /// number generators, and the count of samples that Normalization keeps.
  [[nodiscard]] static bool is_left_out(const std::string& path) {
    constexpr std::array groups = {"optimizer", "optimizer_weights", "metrics", "compile_metrics"};
    for (const char* group : groups) {
      if (path == group) return true;
    }
    constexpr std::string_view generator = "/seed_generator";
    return path.ends_with(generator) || is_count(path);
  }

  /// Whether an array is the count of a Normalization: layers/normalization_1/vars/2 or
  /// model_weights/.../normalization/count.
  [[nodiscard]] static bool is_count(std::string_view path) {
    for (const std::string_view ending : {"/vars/2", "/count", "/count:0"}) {
      if (!path.ends_with(ending)) continue;
      path.remove_suffix(ending.size());
      const std::string_view group = path.substr(path.rfind('/') + 1);
      constexpr std::string_view known = "normalization";
      return ending != "/vars/2" || group == known || group.starts_with(std::string(known) + "_");
    }
    return false;
  }

  /// The list of texts of an attribute. Keras cuts long lists into attributes name0, name1, ...
  [[nodiscard]] static std::optional<std::vector<std::string>> texts_of(const Hdf5File& file,
                                                                        const std::string& object,
                                                                        const std::string& name) {
    auto texts = file.texts(object, name);
    for (int piece = 0; piece < 10'000; ++piece) {
      auto more =
          texts && piece == 0 ? std::nullopt : file.texts(object, name + std::to_string(piece));
      if (!more) break;
      if (!texts) texts.emplace();
      texts->insert(texts->end(), more->begin(), more->end());
    }
    return texts;
  }

  void add_layer(const Hdf5File& file, const std::string& group, const std::string& name) {
    if (!file.has_group(group)) file.where().in(group).refuse("there is no such group");
    const auto names = texts_of(file, group, "weight_names");
    if (!names) file.where().in(group).refuse("has no weight_names");
    if (names->empty()) return;
    Layer layer{name, {}};
    for (const std::string& one : *names) {
      if (!is_left_out(group + "/" + one)) layer.arrays.push_back(group + "/" + one);
    }
    layers_.push_back(std::move(layer));
  }

  /// Throws FormatError unless the array at a path is named as the parameter: ".../kernel:0" or
  /// ".../kernel" for "forward.kernel".
  static void require_name(const std::string& parameter, const std::string& path,
                           const Where& where) {
    const auto last = [](std::string_view text, char separator) {
      const std::size_t at = text.rfind(separator);
      return at == std::string_view::npos ? text : text.substr(at + 1);
    };
    std::string_view found = last(path, '/');
    found = found.substr(0, found.find(':'));
    const std::string_view expected = last(parameter, '.');
    if (found != expected) where.expected("an array " + in_quotes(expected), in_quotes(found));
  }

  /// The name of the group for the first layer of a class in the layout of Keras 3; empty where
  /// Keras has no such class with weights.
  [[nodiscard]] static std::string class_of(const LayerDescription& layer) {
    constexpr std::array known = {"LSTM",
                                  "GRU",
                                  "SimpleRNN",
                                  "ResetBeforeGRU",
                                  "Bidirectional",
                                  "TimeDistributed",
                                  "Dense",
                                  "Embedding",
                                  "LayerNormalization",
                                  "Normalization",
                                  "BatchNormalization"};
    if (std::find(known.begin(), known.end(), layer.kind) == known.end()) return "";
    return layer.kind == "ResetBeforeGRU" ? "gru" : detail::snake_case(layer.kind);
  }

  /// Appends the paths of a layer's arrays, `count` in number, in the order of its parameters.
  static void add_names(const LayerDescription& layer, const std::string& path, std::size_t count,
                        std::vector<std::string>& names) {
    if (layer.kind == "Bidirectional") {
      add_names(layer.layers[0], path + "/forward_layer", count / 2, names);
      add_names(layer.layers[0], path + "/backward_layer", count / 2, names);
    } else if (layer.kind == "TimeDistributed") {
      add_names(layer.layers[0], path + "/layer", count, names);
    } else {
      const std::string cell = layer.find("return_sequences") ? "/cell" : "";
      for (std::size_t i = 0; i < count; ++i) {
        names.push_back(path + cell + "/vars/" + std::to_string(i));
      }
    }
  }

  NamedArrays arrays_;
  /// The group of all layers in the layout of Keras 3; empty in the layout of Keras 2, in which
  /// `layers_` is used.
  std::string class_root_;
  std::vector<Layer> layers_;
};

}  // namespace strata::inline STRATA_RUNTIME::io
