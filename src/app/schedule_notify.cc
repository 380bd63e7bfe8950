#include "app/schedule_notify.h"

#include <signal.h>

#include <chrono>
#include <thread>

#include "base/clock.h"
#include "base/json.h"
#include "base/logging.h"
#include "http/client.h"
#include "schedule/child.h"

namespace pinflow::app {
namespace {

void call_command(const std::string& command, const schedule::Run& run, const std::string& json,
                  const std::filesystem::path& output) {
  auto child = schedule::Child::start({"/bin/sh", "-c", command},
                                      {{"PINFLOW_RUN", fmt::format("{}", run.id)},
                                       {"PINFLOW_DATE", run.date},
                                       {"PINFLOW_STATE", std::string(name_of(run.state))},
                                       {"PINFLOW_ATTEMPT", fmt::format("{}", run.attempt)},
                                       {"PINFLOW_MESSAGE", run.message},
                                       {"PINFLOW_LOG", run.log},
                                       {"PINFLOW_FAILURE", json}},
                                      output);
  if (!child) return warn("on_failure: {}", child.error().message);
  for (const Stopwatch watch; watch.seconds() * 1000 < kTellTimeoutMs;) {
    if (const auto ended = child->ended()) {
      if (!ended->empty()) warn("on_failure: the command ended with {}; its output is in {}", *ended, output.string());
      return;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  warn("on_failure: the command was ended: it took longer than {} s", kTellTimeoutMs / 1000);
}

void call_webhook(const std::string& url, const std::string& json) {
  http::ClientOptions options;
  options.max_connections = 1;
  options.timeout_ms = kTellTimeoutMs / 6;
  auto client = http::Client::create(options);
  if (!client) return warn("on_failure: {}", client.error().message);
  http::ClientRequest request;
  request.method = "POST";
  request.url = url;
  request.headers = {{"Content-Type", "application/json"}};
  request.body = json;
  const http::Outcome outcome = (*client)->request(std::move(request));
  if (!outcome.response)
    warn("on_failure: the webhook could not be reached ({})", name_of(outcome.response.error().code));
  else if (outcome.response->status / 100 != 2) warn("on_failure: the webhook answered {}", outcome.response->status);
}

}  // namespace

std::string failure_json(const std::string& pipeline, const schedule::Run& run) {
  JsonWriter json;
  json.begin_object().key("pipeline").string(pipeline).key("run").number(run.id).key("date").string(run.date);
  json.key("slot").string(run.slot).key("state").string(name_of(run.state)).key("attempt").number(run.attempt);
  json.key("message").string(run.message).key("log").string(run.log).end_object();
  return json.take();
}

void tell_of_failure(const std::string& pipeline, const pipeline::Schedule& schedule, const schedule::Run& run,
                     const std::filesystem::path& output) {
  const std::string json = failure_json(pipeline, run);
  if (!schedule.on_failure_command.empty()) call_command(schedule.on_failure_command, run, json, output);
  if (!schedule.on_failure_webhook.empty()) call_webhook(schedule.on_failure_webhook, json);
}

}  // namespace pinflow::app
