// Files of torch.save: the tensors are read, nothing is run, and everything else is refused.

#include <cstddef>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <strata/io/pytorch.hpp>
#include <strata/io/torch/zip.hpp>

#include "support/catch.hpp"
#include "support/contains.hpp"
#include "support/error_text.hpp"
#include "support/reference.hpp"

using namespace strata;
using test::Contains;
using test::error_text;

namespace {

std::string archive(const std::string& name) {
  return STRATA_TEST_DIR "/golden/pytorch/archives/" + name;
}

std::vector<std::byte> archive_bytes(const std::string& name) {
  std::ifstream file(archive(name), std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const auto* const begin = reinterpret_cast<const std::byte*>(text.data());
  return {begin, begin + text.size()};
}

std::string archive_refusal(const std::string& name) {
  return error_text<FormatError>([&] { (void)load_pytorch(archive(name)); });
}

}  // namespace

TEST_CASE("PyTorch: files of torch.save", "[io][pytorch]") {
  const test::Reference<float> reference(STRATA_TEST_DIR
                                         "/golden/pytorch/lstm_2.sequences.reference");
  for (const char* name : {"plain.pt", "checkpoint.pth", "lightning.ckpt", "strides.pt",
                           "one_storage.pt", "parameters.pt", "protocol_4.pt", "averaged.pt"}) {
    INFO(name);
    reference.require_equal(load_pytorch(archive(name)));
    reference.require_equal(load_pytorch(archive_bytes(name)));
    Sequential<LSTM<float, 2, 3, return_sequences>, LSTM<float, 3, 3, return_sequences>,
               Dense<float, 3, 2>>
        known;
    load_pytorch(archive(name), known);
    reference.require_equal(known);
  }
  test::Reference<double>(STRATA_TEST_DIR "/golden/pytorch/lstm_2.last_step.reference")
      .require_equal(
          load_pytorch<double>(archive("plain.pt"), {.output = PyTorchOutput::last_step}));
}

TEST_CASE("PyTorch: what a file of torch.save may not hold", "[io][pytorch]") {
  CHECK(
      archive_refusal("refused_name.pt") ==
      archive("refused_name.pt") +
          ": data.pkl: the pickle names \"posix.system\", which does not rebuild tensors; nothing "
          "of it was run. Where this is a whole module, or holds objects beside the tensors, "
          "write the tensors alone: torch.save(model.state_dict(), \"model.pt\")");
  CHECK(archive_refusal("refused_module.pt") ==
        Contains{"the pickle names \"torch_state_dicts.Chain\""});
  CHECK(archive_refusal("refused_module.pt") ==
        Contains{"torch.save(model.state_dict(), \"model.pt\")"});
  CHECK(archive_refusal("refused_old.pt") ==
        Contains{"this is a pickle as PyTorch wrote it before version 1.6"});
  CHECK(archive_refusal("refused_several.pt") ==
        Contains{"holds several dictionaries of tensors: one, two; write one of them alone: "
                 "torch.save(checkpoint[\"one\"], \"model.pt\")"});
  CHECK(archive_refusal("refused_list.pt") == Contains{"this holds no state_dict"});
  CHECK(archive_refusal("refused_script.pt") == Contains{"this is TorchScript"});
  CHECK(archive_refusal("refused_export.pt2") ==
        Contains{"this is a program of torch.export, which torch.export.save writes; write the "
                 "tensors alone: torch.save(torch.export.load(\"model.pt2\").state_dict, "
                 "\"model.pt\")"});
  CHECK(load_pytorch(archive("of_export.pt")).parameter_count() == 3);
}

TEST_CASE("PyTorch: damaged files of torch.save", "[io][pytorch]") {
  const std::vector<std::byte> whole = archive_bytes("plain.pt");
  REQUIRE(whole.size() > 1000);
  // Cut off anywhere.
  for (std::size_t size = 0; size < whole.size(); size += 7) {
    const std::vector<std::byte> cut(whole.begin(),
                                     whole.begin() + static_cast<std::ptrdiff_t>(size));
    INFO(size << " bytes");
    CHECK(error_text<FormatError>([&] { (void)load_pytorch(cut); }) != "(nothing was thrown)");
  }
  // Any byte of the pickle or of a storage changed: its checksum tells.
  io::StoredZip zip(whole, io::Where("zip"));
  int storages = 0;
  for (const auto& [name, entry] : zip.entries()) {
    if (!name.ends_with("data.pkl") && name.find("/data/") == std::string::npos) continue;
    ++storages;
    std::vector<std::byte> changed = whole;
    const auto place =
        entry.bytes.data() - whole.data() + static_cast<std::ptrdiff_t>(entry.bytes.size() / 2);
    changed[static_cast<std::size_t>(place)] ^= std::byte{1};
    CHECK(error_text<FormatError>([&] { (void)load_pytorch(changed); }) ==
          Contains{"the bytes do not have their checksum: the file is damaged"});
  }
  CHECK(storages == 11);
  CHECK(io::crc32(std::as_bytes(std::span("123456789", 9))) == 0xcbf43926u);
}

TEST_CASE("PyTorch: cells are modules of one layer", "[io][pytorch]") {
  // nn.LSTMCell(1, 1): four gates of one unit.
  const std::string text = R"({"cell.weight_ih": [[1], [2], [3], [4]],
                               "cell.weight_hh": [[5], [6], [7], [8]],
                               "cell.bias_ih": [1, 2, 3, 4], "cell.bias_hh": [1, 1, 1, 1]})";
  const auto* const begin = reinterpret_cast<const std::byte*>(text.data());
  const auto model = load_pytorch(std::span(begin, text.size()));
  CHECK(model.layer(0).describe() == "LSTM, 1 units");
  CHECK(model.weights() == std::vector<float>{1, 2, 3, 4, 5, 6, 7, 8, 2, 3, 4, 5});
}
