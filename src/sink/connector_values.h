// Reads the values of a connector's properties, with errors that name file, line and key. Internal to the room.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/properties.h"

namespace pinflow::sink {

class ConnectorValues {
 public:
  explicit ConnectorValues(const Properties& properties) : properties_(properties) {}

  std::unexpected<Error> refuse(const Property& property, std::string_view why) const;
  std::unexpected<Error> wrong(const Property& property, std::string_view must_be) const;
  std::string ignored(const Property& property, std::string_view why) const;  // a line for the user

  Result<int64_t> number(const Property& property, int64_t low, int64_t high) const;
  Result<bool> boolean(const Property& property) const;
  // The last part of a Java class's name, where the class is in one of the packages (separated by blanks).
  Result<std::string> class_name(const Property& property, std::string_view packages) const;

  const Properties& properties() const { return properties_; }

 private:
  const Properties& properties_;
};

std::string_view trimmed(std::string_view text);
std::vector<std::string> list_of(std::string_view text);  // between commas, trimmed, each once

}  // namespace pinflow::sink
