#pragma once

#include <charconv>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace papers {

/// The command line was not understood, or the data are missing: exit code 2.
struct UsageError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// What a program says of itself.
struct Usage {
  std::string name;                             ///< of the program
  std::string about;                            ///< what it does, a sentence or two
  std::string data;                             ///< what --data is, and where anyone gets it
  std::vector<std::string> nets = {};           ///< the values of --net
  std::map<std::string, std::string> own = {};  ///< more options, {"--text", "the words to write"}
};

/// The command line of the programs of papers:
///
///   --data PATH --net NAME --seed N --epochs N --out FOLDER --quick --help
class Options {
 public:
  /// Throws UsageError on options that are unknown, without a value, or with an impossible one.
  Options(int count, const char* const* words, Usage usage) : usage_(std::move(usage)) {
    for (int i = 1; i < count; ++i) {
      const std::string name = words[i];
      if (name == "--help") {
        help_ = true;
      } else if (name == "--quick") {
        quick_ = true;
      } else if (!takes_value(name)) {
        throw UsageError("unknown option " + name + "; --help lists the options");
      } else if (i + 1 == count) {
        throw UsageError(name + " takes a value; --help lists the options");
      } else {
        values_[name] = words[++i];
      }
    }
    if (const auto net = value("--net"); net && !is_net(*net)) {
      throw UsageError("unknown net " + *net + "; expected one of" + nets());
    }
    (void)epochs(1), (void)seed();
  }

  [[nodiscard]] bool help() const { return help_; }
  [[nodiscard]] bool quick() const { return quick_; }
  [[nodiscard]] bool has_data() const { return values_.contains("--data"); }
  [[nodiscard]] std::uint64_t seed() const { return number("--seed", 1, 0); }
  [[nodiscard]] int epochs(int otherwise) const {
    return static_cast<int>(number("--epochs", static_cast<std::uint64_t>(otherwise), 1));
  }

  /// Whether the row `net` of the table is to be computed.
  [[nodiscard]] bool wants(std::string_view net) const {
    const auto chosen = value("--net");
    return !chosen || *chosen == net;
  }

  /// The file or folder of --data. Throws UsageError where it is not given or does not exist.
  [[nodiscard]] std::filesystem::path data() const {
    const auto path = value("--data");
    if (!path) throw UsageError("--data is missing: " + usage_.data);
    if (!std::filesystem::exists(*path)) {
      throw UsageError("--data " + *path + " does not exist: " + usage_.data);
    }
    return *path;
  }

  /// The path of a file in the folder of --out, which is made where it does not exist.
  [[nodiscard]] std::filesystem::path out(const std::string& file) const {
    const std::filesystem::path folder = value("--out").value_or(".");
    std::filesystem::create_directories(folder);
    return folder / file;
  }

  /// The value of an option, where it is given.
  [[nodiscard]] std::optional<std::string> value(const std::string& option) const {
    const auto found = values_.find(option);
    if (found == values_.end()) return std::nullopt;
    return found->second;
  }

  void print_help() const {
    std::printf("%s\n\nusage: %s [options]\n\n", usage_.about.c_str(), usage_.name.c_str());
    print("--data PATH", usage_.data);
    print("--net NAME", "one row of the table; default: all rows, which are" + nets());
    print("--seed N", "of weights and training; default: 1");
    print("--epochs N", "at most so many");
    print("--out FOLDER", "where pictures are written; default: this folder");
    for (const auto& [name, what] : usage_.own) print(name + " VALUE", what);
    print("--quick", "a small run of everything, which fails where it does not learn");
  }

 private:
  static void print(const std::string& option, const std::string& what) {
    std::printf("  %-16s %s\n", option.c_str(), what.c_str());
  }
  [[nodiscard]] bool takes_value(const std::string& name) const {
    for (const char* known : {"--data", "--net", "--seed", "--epochs", "--out"}) {
      if (name == known) return true;
    }
    return usage_.own.contains(name);
  }
  [[nodiscard]] bool is_net(const std::string& name) const {
    for (const std::string& net : usage_.nets) {
      if (name == net) return true;
    }
    return false;
  }
  [[nodiscard]] std::string nets() const {
    std::string text;
    for (const std::string& net : usage_.nets) text += (text.empty() ? " " : ", ") + net;
    return text;
  }
  [[nodiscard]] std::uint64_t number(const std::string& option, std::uint64_t otherwise,
                                     std::uint64_t least) const {
    const auto text = value(option);
    if (!text) return otherwise;
    std::uint32_t number = 0;
    const char* const end = text->data() + text->size();
    const auto [stop, error] = std::from_chars(text->data(), end, number);
    if (error != std::errc{} || stop != end || number < least || number > 1'000'000'000) {
      throw UsageError(option + " takes a whole number from " + std::to_string(least) +
                       " to 1000000000, and was given " + *text);
    }
    return number;
  }

  Usage usage_;
  std::map<std::string, std::string> values_;
  bool quick_ = false;
  bool help_ = false;
};

/// main of a program: reads the command line and calls run(options), which returns the exit code.
/// An exception is printed and ends with 2 where it is a UsageError, with 1 otherwise.
template <class Run>
int run_program(int count, const char* const* words, const Usage& usage, Run run) {
  try {
    const Options options(count, words, usage);
    if (!options.help()) return run(options);
    options.print_help();
    return 0;
  } catch (const UsageError& error) {
    std::fprintf(stderr, "%s: %s\n", usage.name.c_str(), error.what());
    return 2;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: %s\n", usage.name.c_str(), error.what());
    return 1;
  }
}

}  // namespace papers
