#include "app/export_command.h"

#include "base/files.h"
#include "base/json.h"
#include "notebook/databricks.h"
#include "portable/check.h"

namespace pinflow::app {

Result<int> export_databricks(const Context& context) {
  if (auto portable = portable::require_portable(context.pipeline); !portable) return pass(portable.error());
  const auto notebooks = notebook::databricks_notebooks(context.pipeline);
  if (!notebooks) return pass(notebooks.error());
  const std::filesystem::path& folder = context.options.file;
  if (auto made = make_folders(folder); !made) return pass(made.error());
  JsonWriter json;
  json.begin_array();
  for (const notebook::Notebook& notebook : *notebooks) {
    const std::filesystem::path path = folder / notebook.name;
    if (auto written = replace_file(path, notebook.text); !written) return pass(written.error());
    json.string(path.string());
    if (context.options.format != Format::json) fmt::print("{}\n", path.string());
  }
  json.end_array();
  if (context.options.format == Format::json) fmt::print("{}\n", json.text());
  return 0;
}

}  // namespace pinflow::app
