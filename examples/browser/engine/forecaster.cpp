// The page's forecaster.

#include "forecaster.hpp"

#include <strata/io/common/json.hpp>
#include <strata/io/safetensors.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "result.hpp"

using strata::io::Json;

namespace {

std::unique_ptr<page::Forecaster> forecaster;

void add_values(const Eigen::VectorXf& values) {
  page::values().insert(page::values().end(), values.begin(), values.end());
}

}  // namespace

/// Of the page: a batch is done.
extern "C" __attribute__((import_module("page"), import_name("batch"))) void page_batch(int done);

/// values: the truth of the picture. text: {batches, before, summary}.
PAGE_EXPORT(forecaster_begin)
int page_forecaster_begin(const float* series, std::size_t count, int epochs, int seed) {
  return page::call([&] {
    forecaster = std::make_unique<page::Forecaster>(std::span(series, count), epochs,
                                                    static_cast<std::uint64_t>(seed));
    page::text() = Json{{"batches", forecaster->batches()},
                        {"before", page::Forecaster::before},
                        {"summary", forecaster->model().summary()}}
                       .dump();
    page::values().clear();
    add_values(forecaster->picture());
  });
}

/// values: the forecasts of the picture, then the free run. text: {epoch, loss, valLoss, error}.
PAGE_EXPORT(forecaster_epoch)
int page_forecaster_epoch() {
  return page::call([] {
    const auto epoch =
        forecaster->train_epoch([](strata::Index done) { page_batch(static_cast<int>(done)); });
    page::text() = Json{
        {"epoch", epoch.number},
        {"loss", epoch.loss},
        {"valLoss", epoch.val_loss},
        {"error",
         epoch.error}}.dump();
    page::values().clear();
    add_values(forecaster->one_step());
    add_values(forecaster->free_run());
  });
}

/// text: the bytes of a safetensors file.
PAGE_EXPORT(forecaster_save)
int page_forecaster_save() {
  return page::call([] {
    const auto bytes = strata::save_to_memory(forecaster->model());
    page::text().assign(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  });
}
