// The names of objects in the lake, as Confluent's S3 sink makes them with its DefaultPartitioner. Pure.
//
//   topics/<topic>/partition=<p>/<topic>+<p>+<first offset, 10 digits>.json    one compact record a line
//   dead/<topic>/partition=<p>/<topic>+<p>+<first dead offset, 10 digits>.json  what the gate refused, see
//   dead_letter.h state/topics/<topic>.json                                                   whose topic it is, see
//   marker.h
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pinflow::sink {

// What a connector's properties may change about the names; the defaults are the connector's.
struct Layout {
  std::string topics_dir = "topics";  // topics.dir; empty: no such folder
  std::string directory_delim = "/";  // directory.delim
  std::string file_delim = "+";       // file.delim
  int pad = 10;                       // filename.offset.zero.pad.width
};

enum class Kind { data, dead };

// The names of one partition's objects of one kind.
class Names {
 public:
  Names(const Layout& layout, Kind kind, std::string_view topic, int32_t partition);

  // What all of them begin with: "topics/local.pin/partition=0/local.pin+0+".
  const std::string& prefix() const { return prefix_; }
  std::string name(int64_t first_offset) const;
  // The offset that a name of an object stands for; nothing where it is no such name.
  std::optional<int64_t> first_offset(std::string_view name) const;

 private:
  std::string prefix_;
  int pad_;
};

// An object of another layout than the default partitioner's: `folder` is the partitioner's, below the topic's.
std::string object_name(const Layout& layout, std::string_view topic, int32_t partition, std::string_view folder,
                        int64_t first_offset, std::string_view extension);

std::string marker_name(std::string_view topic);

}  // namespace pinflow::sink
