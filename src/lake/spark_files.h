// Files that Spark wrote below a table's folder, made ready for a commit of ours.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "delta/actions.h"
#include "delta/schema.h"
#include "object/store.h"
#include "spark/session.h"

namespace pinflow::lake {

// Has Spark write the rows of a SELECT as Parquet files into a new folder of the table, holds each against the columns
// (invalid, with file and column), and answers those that have rows, durable, their paths as a commit names them. What
// an error leaves there belongs to no version. `what` names the folder: "plan-0000000003".
Result<std::vector<delta::DataFile>> write_with_spark(spark::Session& session, object::Store& store,
                                                      const std::string& lake, const std::string& table,
                                                      const std::string& what, const std::string& select,
                                                      const std::vector<delta::Column>& columns);

int64_t rows_of(const std::vector<delta::DataFile>& files);

}  // namespace pinflow::lake
