#include "sink/sink.h"

#include "sink/worker.h"

namespace pinflow::sink {
namespace {

constexpr int kFetchWaitMs = 50;

Result<> check(const SinkOptions& options) {
  if (options.topics.empty() == options.topics_regex.empty())
    return invalid("sink {}: exactly one of topics and topics.regex must be given", options.name);
  if (options.name.empty()) return invalid("a sink needs a name");
  if (options.rotation.flush_size < 1) return invalid("sink {}: flush.size must be at least 1", options.name);
  if (options.writers < 1 || options.writers > 256) return invalid("sink {}: writers must be 1 to 256", options.name);
  for (const std::string& topic : options.topics)
    if (topic.empty() || topic.starts_with('.'))
      return unsupported("sink {}: topic '{}': a name that begins with '.' cannot be kept in a folder", options.name,
                         topic);
  return {};
}

}  // namespace

Sink::Sink(std::unique_ptr<Worker> worker) : worker_(std::move(worker)) {}
Sink::~Sink() = default;

Result<std::unique_ptr<Sink>> Sink::start(SinkOptions options, object::Store& store,
                                          const kafka::ClientConfig& config) {
  if (auto good = check(options); !good) return pass(good.error());
  // A broker answers the requests of a connection in order: a fetch that waits for records holds up what comes behind.
  kafka::ClientConfig brisk = config;
  brisk.properties.insert(brisk.properties.begin(), {"fetch.wait.max.ms", fmt::to_string(kFetchWaitMs)});
  auto consumer = kafka::Consumer::open(
      brisk, {.group = "connect-" + options.name, .client_id = options.name, .reset = kafka::Reset::none});
  if (!consumer) return pass(consumer.error());
  // And one that never fetches, for questions.
  auto questioner = kafka::Consumer::open(config, {.client_id = options.name + "-questions"});
  if (!questioner) return pass(questioner.error());
  auto worker =
      std::make_unique<Worker>(std::move(options), store, config, std::move(*consumer), std::move(*questioner));
  if (auto started = worker->start(); !started) return pass(started.error());
  return std::unique_ptr<Sink>(new Sink(std::move(worker)));
}

SinkCounts Sink::counts() const { return worker_->counts(); }
std::optional<Error> Sink::failure() const { return worker_->failure(); }
Result<> Sink::run_until_caught_up() { return worker_->run_until_caught_up(); }
void Sink::flush() { worker_->flush(); }
Result<> Sink::stop() { return worker_->stop(); }

}  // namespace pinflow::sink
