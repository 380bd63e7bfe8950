// The rows of a prepared SELECT of MySQL as JSON objects, through the binary protocol. Internal to the room; hides
// libmariadb's types but for the handle.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"

struct st_mysql;  // MYSQL

namespace pinflow::source {

// What a caller can do about an error of the server or the client library.
Code mysql_code(unsigned error_number);

class MysqlRows {
 public:
  // `sql` has a ? for each number of start(). `connection` outlives this.
  static Result<std::unique_ptr<MysqlRows>> prepare(st_mysql* connection, std::string where, std::string key,
                                                    const std::string& sql);
  ~MysqlRows();

  Result<> start(std::span<const int64_t> numbers);
  // Appends the next row; false at the end.
  Result<bool> next(std::string& json);
  void stop();          // frees what is left of the answer, so that the connection can be used again
  int64_t key() const;  // of the row that next() gave

 private:
  struct State;
  explicit MysqlRows(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace pinflow::source
