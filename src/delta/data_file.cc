#include "delta/data_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/clock.h"
#include "base/files.h"
#include "delta/parquet_footer.h"
#include "delta/stats.h"
#include "delta/uuid.h"

namespace pinflow::delta {
namespace {

// A footer beyond this is refused: it would be read into memory as a whole.
constexpr size_t kMaxFooter = 64 << 20;

Result<std::string> read_at(int fd, size_t from, size_t length, const std::filesystem::path& path) {
  std::string bytes(length, '\0');
  size_t done = 0;
  while (done < length) {
    const ssize_t got = pread(fd, bytes.data() + done, length - done, static_cast<off_t>(from + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_error(errno, fmt::format("read {}", path.string()));
    if (got == 0) return corrupt("{} became shorter while it was read", path.string());
    done += static_cast<size_t>(got);
  }
  return bytes;
}

struct FileFooter {
  ParquetFooter footer;
  int64_t size = 0;
};

Result<FileFooter> read_footer(const std::filesystem::path& path) {
  const Fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat info {};
  if (!fd || fstat(fd.get(), &info) != 0) return system_error(errno, fmt::format("open {}", path.string()));
  const auto size = static_cast<size_t>(info.st_size);
  const size_t tail_size = std::min(size, kParquetTail);
  const auto tail = read_at(fd.get(), size - tail_size, tail_size, path);
  if (!tail) return pass(tail.error());
  const auto length = footer_length(*tail);
  if (!length) return pass(length.error(), "{}", path.string());
  if (*length + kParquetTail > size || *length > kMaxFooter)
    return corrupt("{}: the Parquet footer cannot be read", path.string());
  const auto metadata = read_at(fd.get(), size - kParquetTail - *length, *length, path);
  if (!metadata) return pass(metadata.error());
  auto footer = parse_footer(*metadata);
  if (!footer) return pass(footer.error(), "{}", path.string());
  return FileFooter{std::move(*footer), static_cast<int64_t>(size)};
}

Result<> check_schema(const ParquetFooter& footer, const std::vector<Column>& columns,
                      const std::filesystem::path& path) {
  const auto& found = footer.schema.children;
  for (const Column& column : columns) {
    const auto node = std::ranges::find(found, column.name, &ParquetNode::name);
    if (node == found.end())
      return invalid("{} has no column '{}'; the table's schema asks for {}", path.string(), column.name, column.type);
    if (const std::string mismatch = type_mismatch(*node, column.type); !mismatch.empty()) {
      return invalid("{}: the column '{}' {}, as the table's type {} asks for: cast it", path.string(), column.name,
                     mismatch, column.type);
    }
  }
  for (const ParquetNode& node : found) {
    if (std::ranges::find(columns, node.name, &Column::name) == columns.end()) {
      return invalid("{} has a column '{}' that the table has not", path.string(), node.name);
    }
  }
  if (found.size() != columns.size()) return invalid("{} has a column twice", path.string());
  return {};
}

}  // namespace

std::string new_file_name() { return fmt::format("part-00000-{}.parquet", new_uuid()); }

Result<DataFile> describe_file(const std::filesystem::path& local, std::string name,
                               const std::vector<Column>& columns) {
  const auto read = read_footer(local);
  if (!read) return pass(read.error());
  if (auto same = check_schema(read->footer, columns, local); !same) return pass(same.error());
  DataFile file;
  file.path = std::move(name);
  file.size = read->size;
  file.modification_ms = now_ms();
  file.records = read->footer.rows;
  file.stats_json = make_stats(read->footer, columns);
  file.held_against = schema_mark(columns);
  return file;
}

Result<std::vector<std::string>> column_names(const std::filesystem::path& local) {
  const auto read = read_footer(local);
  if (!read) return pass(read.error());
  std::vector<std::string> names;
  for (const ParquetNode& node : read->footer.schema.children) names.push_back(node.name);
  return names;
}

Result<DataFile> put_data_file(object::Store& store, const std::string& table, const std::filesystem::path& local,
                               const std::vector<Column>& columns) {
  auto file = describe_file(local, new_file_name(), columns);
  if (!file) return file;
  const std::string name = fmt::format("{}/{}", table, file->path);
  const auto put = store.put_file_if_absent(name, local);
  if (put) return file;
  // The name is nobody else's: what is there under it is this file, and an answer was lost.
  if (put.error().code == Code::unavailable || put.error().code == Code::already_exists) {
    const auto there = store.stat(name);
    if (there && there->size == file->size) return file;
  }
  return pass(put.error(), "putting {}", name);
}

}  // namespace pinflow::delta
