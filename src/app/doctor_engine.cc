#include <fmt/format.h>
#include <unistd.h>

#include "app/doctor_services.h"
#include "app/engine.h"
#include "base/clock.h"
#include "spark/health.h"
#include "sql/value.h"

namespace pinflow::app {
namespace {

std::string user_of(spark::Session& session) {
  auto user = session.query("SELECT current_user()");
  if (!user || user->rows.size() != 1) return "an unknown user";
  return sql::text_of(user->rows[0][0]);
}

}  // namespace

void examine_engine(const Context& context, object::Store& lake, Findings& findings) {
  auto engine = engine_of(context, lake);
  if (!engine) return findings.bad("engine", engine.error().message);
  if (!*engine) return;
  auto session = engine->open();
  if (!session) return findings.bad("engine", session.error().message);
  findings.well("engine", fmt::format("Spark {}, as {}; it finds the lake at {}", (*session)->version(),
                                      user_of(**session), engine->lake));

  const std::string folder = fmt::format("state/doctor/{}-{}", now_ms(), ::getpid());
  const std::string probe = folder + "-probe", scratch = folder + "-scratch",
                    text = "pinflow doctor was here; this may be removed";
  if (auto put = lake.put_if_absent(probe, text + "\n"); !put) return findings.bad("engine", put.error().message);
  const spark::Health health = spark::examine(**session, fmt::format("{}/{}", engine->lake, probe), text,
                                              fmt::format("{}/{}", engine->lake, scratch));
  std::vector<std::string> left{probe};
  if (auto written = lake.list(scratch)) {
    for (const object::ObjectInfo& one : *written) left.push_back(one.name);
  }
  const auto removed = lake.remove_all(left);
  if (health.no_delta) {
    findings.bad("engine", fmt::format("it has no Delta Lake ({}): start it with the package io.delta:delta-spark and "
                                       "Delta's extension and catalog",
                                       health.no_delta->message));
  }
  if (health.no_read) {
    findings.bad("engine", fmt::format("it does not read the lake: {}. Look at engine.paths: the lake is {} here",
                                       health.no_read->message, lake.url()));
  }
  if (health.no_write)
    findings.bad("engine", fmt::format("it may not write into the lake: {}", health.no_write->message));
  if (!health.no_delta && !health.no_read && !health.no_write)
    findings.well("engine", "it has Delta Lake, reads and writes the lake");
  if (!removed)
    findings.bad("engine",
                 fmt::format("what it wrote under {} cannot be removed: {}", scratch, removed.error().message));
}

}  // namespace pinflow::app
