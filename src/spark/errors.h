// What went wrong on Spark, as values: its error classes and gRPC's statuses to our codes, its positions to the user's
// files and lines. Pure. (Source: error-conditions.json of Apache Spark; google.rpc.ErrorInfo and FetchErrorDetails.)
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "sql/duckdb.h"

namespace pinflow::spark {

// The place in a query's text that Spark blames; positions count UTF-16 units from 0, both inclusive.
struct Blame {
  int64_t first = -1;
  int64_t last = -1;
  std::string fragment;
};

struct Failure {
  int status = 0;           // grpc::StatusCode
  std::string message;      // Spark's own, or gRPC's where Spark said nothing
  std::string error_class;  // "TABLE_OR_VIEW_NOT_FOUND", "INVALID_HANDLE.SESSION_CLOSED"; empty: none
  std::string sql_state;
  std::vector<std::string> java_classes;  // of the exception, its own first
  std::vector<Blame> blames;
};

// A text that Spark has, and where it stands in a user's file.
struct Place {
  std::string text;
  int first_line = 1;  // of what was given with `origin`, on which `text` begins
  sql::Origin origin;
};

// The server's session is not there any more.
bool is_lost_session(const Failure& failure);

// The connection broke, or the server is not up: the same may work in a moment, and nothing was decided.
bool is_passing(const Failure& failure);

Code code_of(const Failure& failure);

// Spark's message with "file:line: " before it where one of the places is blamed; its own line numbers become the
// file's. The first place is the statement that ran. Plans that Spark prints behind a message are left out, and a long
// message is cut.
Error error_of(const Failure& failure, std::span<const Place> places);

}  // namespace pinflow::spark
