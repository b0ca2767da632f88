#include <strata/io/pytorch.hpp>

#include "formats.hpp"

std::vector<strata::tool::Format> strata::tool::torch_formats() {
  std::vector<Format> list;
  for (const char* ending : {".pt", ".pth", ".ckpt"}) {
    list.push_back({ending,
                    "a PyTorch state_dict, or a checkpoint with one",
                    [](const std::string& path) { return load_pytorch(path); },
                    {}});
  }
  return list;
}
