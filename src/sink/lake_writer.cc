#include "sink/lake_writer.h"

#include <algorithm>

#include "sink/dead_letter.h"

namespace pinflow::sink {
namespace {

void count_written(const File& file, WriteCounts& counts) {
  (file.kind == Kind::data ? counts.in_objects : counts.dead) += file.records;
  ++(file.kind == Kind::data ? counts.objects : counts.dead_objects);
  counts.bytes += file.size();
}

// One past the last record of an object with these bytes.
Result<int64_t> end_of(const File& ours, std::string_view bytes) {
  if (!bytes.ends_with('\n')) return corrupt("it does not end with a whole line");
  if (ours.kind == Kind::data) return ours.first + std::count(bytes.begin(), bytes.end(), '\n');
  bytes.remove_suffix(1);
  auto last = offset_of_dead_letter(bytes.substr(bytes.rfind('\n') + 1));
  if (!last) return last;
  return *last + 1;
}

}  // namespace

WriteCounts& WriteCounts::operator+=(const WriteCounts& more) {
  in_objects += more.in_objects;
  dead += more.dead;
  skipped += more.skipped;
  objects += more.objects;
  dead_objects += more.dead_objects;
  bytes += more.bytes;
  return *this;
}

LakeWriter::LakeWriter(object::Store& store, const Layout& layout, std::string_view topic, int32_t partition)
    : store_(store),
      data_names_(layout, Kind::data, topic, partition),
      dead_names_(layout, Kind::dead, topic, partition) {}

Result<> LakeWriter::write(std::deque<File>& files, WriteCounts& counts) {
  for (;;) {
    if (auto skipped = skip_what_is_there(files, counts); !skipped) return skipped;
    if (files.empty()) return {};
    std::vector<std::string> object_names;
    std::vector<object::NewObject> objects;
    int64_t bytes = 0;
    object_names.reserve(kFilesOfAPut);
    for (const File& file : files) {
      bytes += file.size();
      if (!objects.empty() && (objects.size() == kFilesOfAPut || bytes > kBytesOfAPut)) break;
      if (file.first < covered(file.kind)) break;  // part of it is in the lake: when it is at the front
      objects.push_back({object_names.emplace_back(names(file.kind).name(file.first)), file.bytes});
    }
    auto made = store_.put_all_if_absent(objects);
    for (size_t i = 0; i < made.count; ++i) {
      count_written(files.front(), counts);
      files.pop_front();
    }
    if (made.rest) continue;
    const std::string& name = object_names[made.count];
    if (made.rest.error().code != Code::already_exists) {
      unanswered_.insert(object_names.begin() + static_cast<std::ptrdiff_t>(made.count), object_names.end());
      return made.rest;
    }
    if (auto met = meet(files, counts); !met) return pass(met.error(), "{}/{}", store_.url(), name);
  }
}

// The front files lose what the lake is known to hold.
Result<> LakeWriter::skip_what_is_there(std::deque<File>& files, WriteCounts& counts) {
  while (!files.empty() && files.front().first < covered(files.front().kind)) {
    auto dropped = drop_before(files.front(), covered(files.front().kind));
    if (!dropped) return pass(dropped.error());
    counts.skipped += *dropped;
    if (!files.front().empty()) break;
    files.pop_front();
  }
  return {};
}

// The name of the front file is taken.
Result<> LakeWriter::meet(std::deque<File>& files, WriteCounts& counts) {
  File& file = files.front();
  const std::string name = names(file.kind).name(file.first);
  auto there = store_.get(name);
  if (!there) return pass(there.error());
  auto end = end_of(file, *there);
  if (!end) return pass(end.error());
  const std::string_view ours = file.bytes;
  if (!ours.starts_with(*there) && !there->starts_with(ours))
    return fail(Code::conflict,
                "the object holds other records than the topic at the same offsets: it is another topic's, or was "
                "changed. Use another lake, or move the topic's objects and its state/topics object away");
  covered(file.kind) = std::max(covered(file.kind), *end);
  if (unanswered_.erase(name) > 0 && ours == *there) {  // it was our put, its answer was lost
    count_written(file, counts);
    files.pop_front();
  }
  return {};
}

}  // namespace pinflow::sink
