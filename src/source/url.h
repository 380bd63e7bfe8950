// Where the source tables are, as the user says it: an SQLite file or a MySQL (MariaDB) database. Pure.
//
//   sqlite:///FILE     FILE relative to the working folder (three slashes)
//   sqlite:////FILE    the absolute path /FILE (four slashes)
//   mysql://[USER[:PASSWORD]@]HOST[:PORT]/DATABASE     USER and PASSWORD may be %-encoded
//
// (The forms of SQLAlchemy, https://docs.sqlalchemy.org/en/20/core/engines.html#database-urls.)
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/error.h"

namespace pinflow::source {

struct SourceUrl {
  enum class Kind { sqlite, mysql };

  Kind kind = Kind::sqlite;
  std::filesystem::path file;  // sqlite
  std::string user;            // mysql; what is empty may come from the credentials (credentials.h)
  std::string password;
  bool has_password = false;  // an empty password that was given is one
  std::string host;
  int port = 0;  // 0: not given
  std::string database;

  // For messages: the URL, its password as "***".
  std::string redacted() const;
};

// Errors never repeat the text, which may hold a password.
Result<SourceUrl> parse_url(std::string_view text);

// An SQLite file as a URL.
SourceUrl sqlite_url(std::filesystem::path file);

}  // namespace pinflow::source
