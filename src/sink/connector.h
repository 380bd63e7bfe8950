// The properties of Confluent's S3 sink connector as this sink takes them. A key that would change what is written and
// is not honoured is an error; a harmless or unknown one is ignored, with one line. The table: docs/sink.md. Pure.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/properties.h"
#include "sink/sink.h"

namespace pinflow::sink {

struct Connector {
  SinkOptions options;
  // Of store.url=file:///DIR; empty where the file has no store.url and no bucket: the caller's own lake.
  std::filesystem::path store;
  std::vector<std::string> remarks;  // what was ignored and why, for the caller to say
};

// `properties` were read without a left-over <PLACEHOLDER> (Properties sees to it). The name is that of the file's
// `name`, else its file name without the ending.
// With `lake_given` the caller has a store of its own (--lake), which wins over what the file says of one.
Result<Connector> read_connector(const Properties& properties, bool lake_given = false);

}  // namespace pinflow::sink
