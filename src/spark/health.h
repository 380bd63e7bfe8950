// Whether a Spark can do what a lake needs of it: for `pinflow doctor`.
#pragma once

#include <optional>
#include <string>

#include "base/error.h"
#include "spark/session.h"

namespace pinflow::spark {

struct Health {
  std::optional<Error> no_delta;  // Delta Lake is missing on the server
  std::optional<Error> no_read;   // the probe cannot be read, or reads otherwise
  std::optional<Error> no_write;  // nothing can be written into the scratch folder
};

// Paths as Spark names them: `probe` is a file of one line, `text`, that was just put into the lake; `scratch` a folder
// of the lake that is not there, into which Spark writes a file, and which the caller removes.
Health examine(Session& session, const std::string& probe, const std::string& text, const std::string& scratch);

}  // namespace pinflow::spark
