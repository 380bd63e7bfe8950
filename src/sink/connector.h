// The properties of Confluent's S3 sink connector, and Connect's own for a sink, as this program takes them. Each key
// is honoured, refused (what it asks for would be written otherwise) or ignored with a line that says why. The table:
// docs/sink.md. Pure.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/properties.h"
#include "object/s3_store.h"
#include "sink/sink.h"

namespace pinflow::sink {

struct Connector {
  SinkOptions options;
  // Where to: a folder (store.url=file:///DIR), or a bucket; neither: the caller's own lake.
  std::filesystem::path folder;
  std::optional<object::S3Options> s3;
  std::optional<aws::Credentials> keys;  // aws.access.key.id and aws.secret.access.key
  std::vector<std::string> remarks;      // what was ignored and why, for the caller to say
};

// `properties` were read without a left-over <PLACEHOLDER> (Properties sees to it). The name is that of the file's
// `name`, else its file name without the ending.
// With `lake_given` the caller has a store of its own (--lake), which wins over what the file says of one.
// For Parquet the caller adds the schemas of its topics (options.shape.schemas); that the settings fit together is seen
// when the sink starts.
Result<Connector> read_connector(const Properties& properties, bool lake_given = false);

}  // namespace pinflow::sink
