// Tells of a run that failed for good: by a command, by a webhook, as the pipeline's `on_failure` says.
#pragma once

#include <filesystem>
#include <string>

#include "pipeline/schedule.h"
#include "schedule/history.h"

namespace pinflow::app {

inline constexpr int kTellTimeoutMs = 60'000;  // of the command; of the webhook a sixth

// {"pipeline":"pinterest","run":12,"date":"2026-11-20","slot":…,"state":"failed","attempt":3,"message":…,"log":…}
std::string failure_json(const std::string& pipeline, const schedule::Run& run);

// Never fails: what could not be told is a warning. The command gets PINFLOW_RUN, PINFLOW_DATE, PINFLOW_STATE,
// PINFLOW_ATTEMPT, PINFLOW_MESSAGE, PINFLOW_LOG, and the JSON as PINFLOW_FAILURE; its output goes to `output`. The
// webhook gets the JSON by POST; its URL is a secret, and never said.
void tell_of_failure(const std::string& pipeline, const pipeline::Schedule& schedule, const schedule::Run& run,
                     const std::filesystem::path& output);

}  // namespace pinflow::app
