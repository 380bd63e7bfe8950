#include "spark/health.h"

#include <fmt/format.h>

namespace pinflow::spark {

Health examine(Session& session, const std::string& probe, const std::string& text, const std::string& scratch) {
  Health health;
  // With Delta Lake it is an error of Delta's own that there is no table; without, Spark does not know the word.
  const auto delta = session.columns(fmt::format("SELECT * FROM delta.{}", quote_name(scratch)));
  const auto says = [&delta](std::string_view part) { return delta.error().message.find(part) != std::string::npos; };
  if (!delta && !says("DELTA_") && !says("PATH_NOT_FOUND")) health.no_delta = delta.error();
  const auto read = session.query(fmt::format("SELECT value FROM text.{}", quote_name(probe)));
  if (!read) {
    health.no_read = read.error();
  } else if (read->rows.size() != 1 || read->rows[0][0] != sql::Value{text}) {
    health.no_read = Error{Code::corrupt, fmt::format("{} reads otherwise than it was written", probe)};
  }
  const auto written = session.execute(fmt::format("INSERT OVERWRITE DIRECTORY {} USING text SELECT {} AS value",
                                                   quote_text(scratch), quote_text(text)));
  if (!written) health.no_write = written.error();
  return health;
}

}  // namespace pinflow::spark
