#pragma once

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <strata/contracts/description.hpp>
#include <strata/io/common/arrays.hpp>
#include <strata/io/common/assign.hpp>
#include <strata/io/common/where.hpp>
#include <strata/io/keras/hdf5_file.hpp>
#include <strata/io/keras/layer_tree.hpp>
#include <strata/io/keras/targets.hpp>
#include <strata/io/keras/weight_paths.hpp>
#include <strata/model/layer_names.hpp>
#include <strata/model/network.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME::io {

/// The weights in an HDF5 file that Keras wrote, in either of Keras' two layouts:
///
/// - .keras and .weights.h5 files name groups by the classes of the layers:
///   layers/lstm_1/cell/vars/0;
/// - .h5 files name groups by the layers' names, model_weights/first/first/lstm_cell/kernel:0, and
///   keep lists of the names in attributes.
class KerasWeights {
 public:
  /// Reads all weights; the state of training, such as the optimizer's, is left out. Throws
  /// FormatError where the file is damaged or in neither layout.
  explicit KerasWeights(Hdf5File& file) : arrays_(file.where()) {
    const std::string group = file.has_group("model_weights") ? "model_weights" : "/";
    if (const auto names = texts_of(file, group, "layer_names")) {
      read_by_names(file, group, *names);
      return;
    }
    for (const std::string& name : file.members_of("/")) {
      const std::string root = with_slashes(name).substr(0, with_slashes(name).find('/'));
      if (is_keras_list(root)) root_ = root;
    }
    if (root_.empty()) file.where().refuse("this HDF5 file holds no weights of Keras");
    file.read_arrays("/", arrays_,
                     [](const std::string& path) { return is_no_weight(with_slashes(path)); });
    for (const std::string& name : arrays_.names()) {
      if (with_slashes(name) != name) arrays_.rename(name, with_slashes(name));
    }
    for (const std::string& name : arrays_.names()) add_members(name);
  }

  /// The number of weights in all arrays.
  [[nodiscard]] std::size_t count() const {
    std::size_t numbers = 0;
    for (const std::string& name : arrays_.names()) {
      numbers += checked_count(arrays_.find(name)->shape, arrays_.where());
    }
    return numbers;
  }

  /// Throws FormatError where the file holds the weights of models within the model. It does not
  /// tell where among the layers they stand.
  void require_no_models() const {
    for (const std::string& name : arrays_.names()) {
      const std::size_t begin = name.find('/');
      for (std::size_t at = begin; at != std::string::npos && !root_.empty();) {
        const std::size_t end = name.find('/', at + 1);
        if (is_keras_list(std::string_view(name).substr(at + 1, end - at - 1))) {
          arrays_.where(name).refuse(
              "is of a model within the model, whose place among the layers the file does not "
              "have; load the whole model, model.save(\"m.keras\"), or save the weights of a model "
              "whose layers are not within models");
        }
        at = end;
      }
    }
  }

  /// Gives the weights to a built model, whose layers are the places in `tree`. Throws FormatError
  /// unless each parameter of the model has an array of its size and each array is used; the model
  /// keeps its own weights then.
  template <class Scalar>
  void give_to(Network<Scalar> network, const KerasLayer& tree) {
    KerasTargets<Scalar> targets(network, tree, arrays_.where());
    if (root_.empty()) {
      give_by_names(targets, tree);
    } else {
      give_by_classes(targets, tree, root_);
    }
    arrays_.require_all_used();
    network.set_weights(targets.weights());
  }

 private:
  /// A layer with weights in the layout by names, with the paths of its arrays.
  struct Layer {
    std::string name;
    std::vector<std::string> arrays;
  };

  // The layout by names.

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

  void read_by_names(Hdf5File& file, const std::string& group,
                     const std::vector<std::string>& names) {
    const std::string prefix = group == "/" ? "" : group + "/";
    for (const std::string& name : names) add_layer(file, prefix + name, name);
    if (file.has_group(prefix + "top_level_model_weights")) {
      add_layer(file, prefix + "top_level_model_weights", "top_level_model_weights");
    }
    file.read_arrays(group, arrays_, is_no_weight);
  }

  void add_layer(const Hdf5File& file, const std::string& group, const std::string& name) {
    if (!file.has_group(group)) file.where().in(group).refuse("there is no such group");
    const auto names = texts_of(file, group, "weight_names");
    if (!names) file.where().in(group).refuse("has no weight_names");
    if (names->empty()) return;
    Layer layer{name, {}};
    for (const std::string& one : *names) {
      if (!is_no_weight(group + "/" + one)) layer.arrays.push_back(group + "/" + one);
    }
    layers_.push_back(std::move(layer));
  }

  /// The layers are paired in their order. Of a model within the model the file has first all
  /// arrays that are trained, then the others.
  template <class Scalar>
  void give_by_names(KerasTargets<Scalar>& targets, const KerasLayer& tree) {
    std::size_t with_weights = 0;
    for (const KerasLayer& layer : tree.layers) {
      auto list = targets.of(layer);
      if (list.empty()) continue;
      std::stable_partition(list.begin(), list.end(),
                            [](const auto& target) { return target.is_trained; });
      const bool is_there = with_weights < layers_.size();
      const std::size_t found = is_there ? layers_[with_weights].arrays.size() : 0;
      if (found != list.size()) {
        if (is_there) refuse_lora(layers_[with_weights]);
        list.front().layer.expected(std::to_string(list.size()) + " arrays", std::to_string(found));
      }
      for (std::size_t i = 0; i < list.size(); ++i) {
        const std::string& name = layers_[with_weights].arrays[i];
        require_array_name(list[i].parameter.name, name, list[i].where);
        give(list[i], name);
      }
      ++with_weights;
    }
    if (with_weights != layers_.size()) {
      arrays_.where().expected(std::to_string(with_weights) + " layers with weights",
                               std::to_string(layers_.size()));
    }
  }

  /// Throws FormatError where Keras has saved matrices of LoRA beside the weights.
  void refuse_lora(const Layer& layer) const {
    for (const std::string& name : layer.arrays) {
      if (name.find("/lora_") == std::string::npos) continue;
      arrays_.where(name).refuse(
          "is a matrix of LoRA, which Keras adds to the weights in a .keras file: "
          "model.save(\"m.keras\")");
    }
  }

  // The layout by classes.

  /// The n-th layer with weights of a class has the n-th group of the class. The numbers in the
  /// names of the groups are not used: Keras also counts layers without weights, and Keras 2.13
  /// counts layers with weights twice.
  template <class Scalar>
  void give_by_classes(KerasTargets<Scalar>& targets, const KerasLayer& tree,
                       const std::string& path) {
    struct Groups {
      std::vector<std::string> names;
      std::size_t used = 0;
    };
    std::map<std::string, Groups> groups;
    for (const KerasLayer& layer : tree.layers) {
      const auto list = targets.of(layer);
      if (list.empty()) continue;
      const std::string kind = detail::snake_case(layer.class_name);
      const auto [found, is_new] = groups.try_emplace(kind);
      auto& [known, used] = found->second;
      if (is_new) known = groups_of(path, kind);
      const std::string missing = kind + (used == 0 ? "" : "_" + std::to_string(used));
      const std::string own = path + "/" + (used < known.size() ? known[used] : missing);
      ++used;
      if (!layer.place) {
        give_by_classes(targets, layer, list_within(own + layer.inner));
        continue;
      }
      std::vector<std::string> names;
      add_array_names(layer.description, own, list.size(), names);
      for (std::size_t i = 0; i < list.size(); ++i) give(list[i], names[i]);
    }
  }

  /// Adds the groups on the way to an array to `members_`.
  void add_members(const std::string& name) {
    constexpr std::ptrdiff_t max_depth = 64;
    if (std::count(name.begin(), name.end(), '/') > max_depth) {
      arrays_.where(in_quotes(name)).refuse("groups are nested too deep");
    }
    std::size_t at = name.find('/');
    while (at != std::string::npos) {
      const std::size_t end = name.find('/', at + 1);
      members_[name.substr(0, at)].insert(name.substr(at + 1, end - at - 1));
      at = end;
    }
  }

  /// Of the members of a group those that are named by a class, in the order of their numbers.
  [[nodiscard]] std::vector<std::string> groups_of(const std::string& path,
                                                   const std::string& name) const {
    std::map<std::uint64_t, std::string> found;
    const auto all = members_.find(path);
    if (all == members_.end()) return {};
    for (const std::string& member : all->second) {
      if (!member.starts_with(name)) continue;
      const std::string_view rest = std::string_view(member).substr(name.size());
      std::uint64_t number = 0;
      if (!rest.empty()) {
        const char* const end = rest.data() + rest.size();
        const auto [stop, error] = std::from_chars(rest.data() + 1, end, number);
        if (rest[0] != '_' || error != std::errc() || stop != end) continue;
      }
      found.emplace(number, member);
    }
    std::vector<std::string> groups;
    for (auto& [number, member] : found) groups.push_back(std::move(member));
    return groups;
  }

  /// The list of the layers of a model within the model.
  [[nodiscard]] std::string list_within(const std::string& path) const {
    const auto all = members_.find(path);
    if (all != members_.end()) {
      for (const std::string& member : all->second) {
        if (is_keras_list(member)) return path + "/" + member;
      }
    }
    return path + "/layers";
  }

  template <class Scalar>
  void give(const KerasTarget<Scalar>& target, const std::string& name) {
    if (!arrays_.contains(name)) target.where.refuse("there is no array " + in_quotes(name));
    const Where here = target.where.in(name);
    const ArrayView& array = arrays_.take(name);
    if (target.is_of_features) {
      assign(target.parameter, for_features(array, target.parameter.shape[0], here), here);
    } else {
      assign(target.parameter, array, here);
    }
  }

  NamedArrays arrays_;
  /// The group of all layers in the layout by classes; empty in the layout by names, in which
  /// `layers_` is used.
  std::string root_;
  std::vector<Layer> layers_;
  /// The members of each group in the layout by classes.
  std::map<std::string, std::set<std::string>> members_;
};

}  // namespace strata::inline STRATA_RUNTIME::io
