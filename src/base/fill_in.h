// What stands in a configuration's value for something that is to be filled in. Pure but for the environment that is
// asked.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace pinflow {

// The first <PLACEHOLDER> in the text, as documents write what the reader is to replace: a capital letter, then
// capitals, digits, '_', '-' and blanks, between < and >. Empty where there is none.
std::string_view placeholder(std::string_view text);

using Lookup = std::function<std::optional<std::string>(const std::string& name)>;
// Of this process; a variable that is empty counts as set.
std::optional<std::string> environment_variable(const std::string& name);

// The text with each ${NAME}, and ${env:NAME} as Kafka writes it, replaced by that variable. NAME is of capitals,
// digits and '_', a letter first; any other "${…}" stays as it is. not_found: the variable is not set.
Result<std::string> with_environment(std::string_view text, const Lookup& lookup = environment_variable);

}  // namespace pinflow
