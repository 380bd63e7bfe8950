#include "app/schemas.h"

#include <algorithm>

namespace pinflow::app {
namespace {

const char* column_type(pipeline::SourceType type) {
  switch (type) {
    case pipeline::SourceType::integer:
    case pipeline::SourceType::bigint: return "BIGINT";
    case pipeline::SourceType::float_:
    case pipeline::SourceType::double_: return "DOUBLE";
    case pipeline::SourceType::text:
    case pipeline::SourceType::datetime: return "VARCHAR";
  }
  return "VARCHAR";
}

}  // namespace

Result<> give_schemas(const pipeline::Pipeline& pipeline, sink::SinkOptions& options) {
  if (options.shape.format != connect::Format::parquet) return {};
  for (const pipeline::RecordType& record : pipeline.records) {
    connect::Schema schema{record.topic, {}};
    for (const pipeline::SourceColumn& column : record.source_columns)
      schema.columns.push_back({column.name, column_type(column.type)});
    options.shape.schemas.push_back(std::move(schema));
  }
  for (const std::string& topic : options.topics)
    if (std::ranges::find(options.shape.schemas, topic, &connect::Schema::topic) == options.shape.schemas.end())
      return invalid(
          "the topic {} has no schema, and ParquetFormat needs one: no record of the pipeline {} has this topic. Use "
          "JsonFormat, or the pipeline that has it (-p DIR)",
          topic, pipeline.id);
  return {};
}

}  // namespace pinflow::app
