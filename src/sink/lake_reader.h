// What the lake holds of one partition: names listed, ends read from the objects. I/O; no state.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "object/store.h"
#include "sink/coverage.h"
#include "sink/names.h"

namespace pinflow::sink {

struct ObjectAt {
  int64_t first = 0;  // offset of its first record, from its name
  std::string name;
};

class LakeReader {
 public:
  LakeReader(object::Store& store, const Layout& layout, std::string_view topic, int32_t partition);

  // Lists the partition's objects, data and dead. Others in their folders are none of ours and left alone.
  Result<> list();
  // The same, but of the data objects only those that begin at `from` or after: for one that begins far into a large
  // lake. It lists all where names do not sort by their offsets.
  Result<> list_from(int64_t from);

  // After list(). Both are nothing where the lake holds no record of the partition.
  std::optional<int64_t> first() const;
  Result<std::optional<int64_t>> end();

  // What is held at or after `from`: reads the objects that may reach there, none of those that cannot.
  Result<Coverage> coverage_from(int64_t from);

  // Dead letters with offsets in [from, to).
  Result<int64_t> dead_between(int64_t from, int64_t to);

  struct LastLine {
    int64_t offset = 0;
    std::string text;
    std::string object;
    bool operator==(const LastLine&) const = default;
  };
  // Of the data object with the highest offsets; nothing where there is none.
  Result<std::optional<LastLine>> last_line();

 private:
  Result<Range> range_of(const ObjectAt& data);
  Result<std::vector<int64_t>> offsets_of(const ObjectAt& dead);

  object::Store& store_;
  const Names data_names_;
  const Names dead_names_;
  std::vector<ObjectAt> data_;  // sorted by first
  std::vector<ObjectAt> dead_;
};

// Lines of a whole object; corrupt where it is empty or its last line has no end.
Result<int64_t> count_lines(object::Store& store, const std::string& name);

}  // namespace pinflow::sink
