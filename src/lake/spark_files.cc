#include "lake/spark_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/files.h"
#include "base/logging.h"
#include "delta/data_file.h"
#include "delta/uuid.h"
#include "lake/table_files.h"

namespace pinflow::lake {
namespace {

// Spark leaves what it wrote to a folder in the system's memory.
Result<> make_durable(const std::filesystem::path& file) {
  const Fd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd || ::fsync(fd.get()) != 0) return unavailable("{}: {}", file.string(), std::strerror(errno));
  for (const auto& folder : {file.parent_path(), file.parent_path().parent_path()}) {
    if (auto synced = sync_folder(folder); !synced) return synced;
  }
  return {};
}

void remove_quietly(object::Store& store, const std::string& name) {
  if (auto gone = store.remove(name); !gone) debug("{}", gone.error().message);
}

}  // namespace

Result<std::vector<delta::DataFile>> write_with_spark(spark::Session& session, object::Store& store,
                                                      const std::string& lake, const std::string& table,
                                                      const std::string& what, const std::string& select,
                                                      const std::vector<delta::Column>& columns) {
  const std::string folder = what + "-" + delta::new_uuid();
  const std::string place = table_folder(table) + "/" + folder;
  const auto written = session.execute(
      fmt::format("INSERT OVERWRITE DIRECTORY {} USING parquet\n{}", spark::quote_text(lake + "/" + place), select));
  if (!written) return pass(written.error());
  const auto listed = store.list(place + "/");
  if (!listed) return pass(listed.error());
  std::vector<delta::DataFile> files;
  bool any = false;
  for (const object::ObjectInfo& object : *listed) {
    const std::string name = object.name.substr(place.size() + 1);
    if (!name.ends_with(".parquet") || name.starts_with('_') || name.find('/') != std::string::npos) {
      remove_quietly(store, object.name);  // _SUCCESS and the like
      continue;
    }
    any = true;
    const auto local = store.fetch(object.name);
    if (!local) return pass(local.error());
    auto file = delta::describe_file(local->path(), folder + "/" + name, columns);
    if (!file) return pass(file.error(), "{}, as Spark wrote it", object.name);
    if (file->records == 0) {
      remove_quietly(store, object.name);
      continue;
    }
    if (auto durable = make_durable(local->path()); !durable) return pass(durable.error());
    files.push_back(std::move(*file));
  }
  if (!any) {
    return not_found(
        "Spark wrote to {}/{}, and there is nothing in {}/{}: is that one place? Set engine.paths in the profile to "
        "how "
        "Spark reaches the lake (docs/batch.md, Engines)",
        lake, place, store.url(), place);
  }
  return files;
}

int64_t rows_of(const std::vector<delta::DataFile>& files) {
  int64_t rows = 0;
  for (const delta::DataFile& file : files) rows += file.records;
  return rows;
}

}  // namespace pinflow::lake
