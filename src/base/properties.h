// Java's properties syntax (java.util.Properties.load): comments with # or !, keys and values by '=', ':' or blanks,
// continuation lines, \uXXXX and the other escapes. Files of the original set-up (client.properties,
// kafka-rest.properties, the S3 sink connector's) are read by it as they are. Pure but for `read`.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace pinflow {

struct Property {
  std::string key;
  std::string value;
  int line = 0;  // where it begins, from 1
};

class Properties {
 public:
  // `file` names the text in errors. A malformed escape, and a value that still is a left-over
  // <PLACEHOLDER>, are errors with file and line. Of a key given twice the last wins, as in Java.
  static Result<Properties> parse(std::string_view text, std::string file);
  static Result<Properties> read(const std::filesystem::path& file);

  std::optional<std::string> get(std::string_view key) const;
  const Property* find(std::string_view key) const;
  const std::vector<Property>& all() const { return all_; }
  const std::string& file() const { return file_; }

 private:
  std::string file_;
  std::vector<Property> all_;  // each key once, in the order of the file
};

}  // namespace pinflow
