// A session on Spark, by Spark Connect (gRPC): SQL in, tables out. The counterpart of sql::Connection: the same values
// and the same names of types for the same query, errors with the user's file and line, a watch, a stop by Ctrl-C.
// (Protocol: spark/connect/base.proto, commands.proto, relations.proto of Apache Spark 4.2.)
//
// One thread at a time; interrupt() from any. The server's session ends with the object, unless its id was given or it
// shall be kept.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "spark/connection.h"
#include "sql/duckdb.h"
#include "sql/value.h"

namespace pinflow::spark {

// What Spark says about the statement that runs; all zero before it says anything.
struct Progress {
  int64_t tasks = 0;  // of the stages known so far
  int64_t tasks_done = 0;
  int64_t bytes_read = 0;
};

// Asked about ten times a second while a statement runs, by the thread that runs it. False interrupts it on the server.
using Watch = std::function<bool(const Progress&)>;

using Options = std::vector<std::pair<std::string, std::string>>;

struct SessionOptions {
  bool keep = false;  // the server's session is not ended with the object
  Options settings;   // of the session, beside the timeZone (UTC) and ansi.enabled (true) that are always set
  std::chrono::milliseconds connect_within{300'000};   // a server that says it is not ready yet
  std::chrono::milliseconds reconnect_within{60'000};  // how long a broken connection is tried again, for one statement
};

// A query over a stream, as the server names it.
struct StreamQuery {
  std::string id;      // of the checkpoint: the same after a restart
  std::string run_id;  // of this start
  std::string name;    // empty where none was given
};

struct StreamState {
  bool active = false;
  std::string message;  // "Waiting for data to arrive", …
  bool data_available = false;
  std::optional<Error> failed;  // why it ended, where it ended by an error
};

// Where a stream's rows come from: spark.readStream.
struct StreamSource {
  std::string format;  // "text", "json", "delta", "kafka", "kinesis"
  std::string path;    // empty for a format without one
  std::string schema;  // DDL: "value STRING"; empty where the format knows it
  Options options;
};

// Where they go: df.writeStream.
struct StreamSink {
  std::string format = "delta";
  std::string path;        // a table's folder
  std::string checkpoint;  // checkpointLocation
  std::string name;        // of the query; empty: none
  std::string output_mode = "append";
  std::string every;           // "10 seconds"; empty: as fast as it can
  bool available_now = false;  // takes what is there, in batches, then ends
  Options options;
};

class Session {
 public:
  // Connects, makes the session (UTC, ANSI), learns Spark's version.
  // Errors: unavailable (not reached within the time; certificates that do not check), denied (token, permissions),
  // unsupported (a server before 4.0), invalid (a setting).
  static Result<std::unique_ptr<Session>> open(const Connection& connection, const SessionOptions& options = {});
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // Runs the statements of a text, separated by ';', one after the other and throws their rows away. Stops at the
  // first that fails.
  //
  // Errors carry Spark's own message and error class, "file:line: " before it where `origin` tells it:
  // invalid (the SQL, or a value in it), not_found (a table, a path), already_exists, conflict (a concurrent Delta
  // commit), denied (token, permissions), full (too many rows), cancelled (stop requested, watch, interrupt()),
  // unavailable (Spark is not reached, or its session vanished: see lost()).
  // A statement is sent once. A broken connection is mended by attaching to the running statement again; where the
  // server has forgotten it (it was restarted), the answer is unavailable and *whether a write was done is not known*:
  // the caller reads its table back. No statement is ever run twice here.
  Result<> execute(std::string_view sql, const sql::Origin& origin = {});

  // The same, with the rows of the last statement (at most sql::kMaxRows, else full). Columns of types that a Table
  // cannot hold (variant, geometry): unsupported, by name.
  Result<sql::Table> query(std::string_view sql, const sql::Origin& origin = {});

  // The one cell of a one-row, one-column answer.
  Result<sql::Value> value(std::string_view sql, const sql::Origin& origin = {});

  // The columns that a query would answer; nothing runs. Types by the names that DuckDB gives them.
  Result<std::vector<sql::ColumnInfo>> columns(std::string_view sql, const sql::Origin& origin = {});

  // CREATE OR REPLACE TEMPORARY VIEW name AS sql (one query).
  Result<> create_view(std::string_view name, std::string_view sql, const sql::Origin& origin = {});

  Result<> set(std::string_view key, std::string_view value);
  Result<> unset(std::string_view key);
  Result<std::optional<std::string>> get(std::string_view key);  // nothing where it is not set and has no default

  // Streams. A view over a stream may be read by start_stream's SQL (and by another view's), not by query().
  Result<> create_stream_view(std::string_view name, const StreamSource& source);
  Result<StreamQuery> start_stream(std::string_view sql, const StreamSink& sink, const sql::Origin& origin = {});
  Result<std::vector<StreamQuery>> active_streams();
  Result<StreamState> stream_state(const StreamQuery& query);
  // Waits until the query ends, at most so long; true when it has ended, the error where it failed.
  Result<bool> await_stream(const StreamQuery& query, std::chrono::milliseconds at_most);
  Result<std::vector<std::string>> stream_progress(const StreamQuery& query);  // Spark's JSON texts, newest last
  Result<> stop_stream(const StreamQuery& query);

  // Without one, statements stop when pinflow::stop_requested().
  void watch(Watch watch);
  void interrupt();

  // The server's session is gone (expired, closed, server restarted): temporary views and settings with it, every call
  // fails with unavailable. Open another one.
  bool lost() const;

  const std::string& version() const;     // "4.2.0"
  const std::string& session_id() const;  // a UUID
  const std::string& shown() const;       // "sc://host:port"

  struct Impl;  // of this room

 private:
  explicit Session(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// Spark SQL literals and names, quoted so that any text is safe: r'…' is not enough for quotes, so 'it\'s' with
// backslashes doubled, and `a ``b```.
std::string quote_text(std::string_view text);
std::string quote_name(std::string_view name);

}  // namespace pinflow::spark
