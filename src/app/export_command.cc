#include "app/export_command.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "base/files.h"
#include "base/json.h"
#include "base/logging.h"
#include "notebook/databricks.h"
#include "portable/check.h"

namespace pinflow::app {
namespace {

// BUCKET/PREFIX of a lake in S3; empty: it is a folder.
std::string bucket_of(const Context& context) {
  const auto found = context.pipeline.settings.find("lake");
  std::string lake = context.options.lake;
  if (lake.empty() && found != context.pipeline.settings.end()) lake = found->second;
  constexpr std::string_view kS3 = "s3://";
  if (!lake.starts_with(kS3)) return "";
  lake = lake.substr(kS3.size());
  lake.resize(std::min(lake.find('?'), lake.size()));
  while (lake.ends_with('/')) lake.pop_back();
  return lake;
}

}  // namespace

Result<int> export_databricks(const Context& context) {
  if (auto portable = portable::require_portable(context.pipeline); !portable) return pass(portable.error());
  const auto notebooks = notebook::databricks_notebooks(context.pipeline, bucket_of(context));
  if (!notebooks) return pass(notebooks.error());
  const std::filesystem::path& folder = context.options.file;
  if (auto made = make_folders(folder); !made) return pass(made.error());
  JsonWriter json;
  json.begin_array();
  for (const notebook::Notebook& notebook : *notebooks) {
    const std::filesystem::path path = folder / notebook.name;
    if (const auto old = read_file(path); old && *old != notebook.text)
      warn("{} was there already and said something else; it is replaced", path.string());
    if (auto written = replace_file(path, notebook.text); !written) return pass(written.error());
    json.string(path.string());
    if (context.options.format != Format::json) fmt::print("{}\n", path.string());
  }
  json.end_array();
  if (context.options.format == Format::json) fmt::print("{}\n", json.text());
  return 0;
}

}  // namespace pinflow::app
