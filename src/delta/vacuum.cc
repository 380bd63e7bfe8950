#include "delta/vacuum.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "delta/table.h"

namespace pinflow::delta {
namespace {

bool is_data_file(std::string_view path) {
  return path.ends_with(".parquet") && !path.starts_with('_') && path.find("/_") == std::string_view::npos;
}

}  // namespace

Result<Vacuumed> vacuum(object::Store& store, const std::string& table, int64_t retention_ms, int64_t now_ms,
                        int64_t most) {
  const auto objects = store.list(table + "/");
  if (!objects) return pass(objects.error(), "listing {}", table);
  const auto snapshot = read_snapshot(store, table);
  if (!snapshot) return pass(snapshot.error());
  std::unordered_set<std::string_view> kept;
  for (const DataFile& file : snapshot->files) kept.insert(file.path);
  std::unordered_map<std::string_view, int64_t> removed;
  for (const Removed& file : snapshot->tombstones) removed[file.path] = file.deletion_ms;

  Vacuumed vacuumed;
  std::vector<std::string> names;
  for (const object::ObjectInfo& object : *objects) {
    const std::string_view path = std::string_view(object.name).substr(table.size() + 1);
    if (!is_data_file(path) || kept.contains(path)) continue;
    const auto tombstone = removed.find(path);
    const int64_t since = tombstone != removed.end() ? tombstone->second : object.modified_ms;
    const int64_t age = tombstone != removed.end() ? retention_ms : std::max(retention_ms, kLeastOrphanAgeMs);
    if (since > now_ms - age) continue;
    if (static_cast<int64_t>(names.size()) == most) {
      vacuumed.more = true;
      break;
    }
    names.push_back(object.name);
    vacuumed.bytes += object.size;
  }
  if (auto gone = store.remove_all(names); !gone) return pass(gone.error(), "removing old files of {}", table);
  vacuumed.files = static_cast<int64_t>(names.size());
  return vacuumed;
}

}  // namespace pinflow::delta
