// The one line in which Java says how to log in: `sasl.jaas.config = MODULE required name="value" …;`. Pure.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace pinflow::kafka {

struct Jaas {
  std::string module;  // "PlainLoginModule": the class without its package
  std::map<std::string, std::string> options;

  std::optional<std::string> get(const std::string& name) const;
};

// Values stand in quotes of either kind, with \" within them, or bare. invalid: in words without any value, which may
// be a secret.
Result<Jaas> parse_jaas(std::string_view text);

}  // namespace pinflow::kafka
