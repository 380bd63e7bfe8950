#include "sink/sink.h"

#include <algorithm>
#include <future>
#include <tuple>

#include "base/logging.h"
#include "kafka/client/admin.h"
#include "kafka/client/writer.h"
#include "sink/worker.h"

namespace pinflow::sink {
namespace {

constexpr int kFetchWaitMs = 50;

Result<> check(const SinkOptions& options) {
  if (options.topics.empty() == options.topics_regex.empty())
    return invalid("sink {}: exactly one of topics and topics.regex must be given", options.name);
  if (options.name.empty()) return invalid("a sink needs a name");
  if (options.rotation.flush_size < 1) return invalid("sink {}: flush.size must be at least 1", options.name);
  if (options.tasks < 1) return invalid("sink {}: tasks.max must be at least 1", options.name);
  if (options.writers < 1 || options.writers > 256) return invalid("sink {}: writers must be 1 to 256", options.name);
  for (const std::string& topic : options.topics)
    if (topic.empty() || topic.starts_with('.'))
      return unsupported("sink {}: topic '{}': a name that begins with '.' cannot be kept in a folder", options.name,
                         topic);
  return {};
}

// What a sink has in its hands beside its files: records fetched ahead, by all its tasks together.
constexpr int64_t kQueueKbytes = 16 << 10;
constexpr int64_t kLeastQueueKbytes = 1 << 10;
constexpr int64_t kLongestDeadLetter = 32 << 20;  // a record as long as the gate takes, and its headers
constexpr int kMostTasks = 32;                    // each has threads and connections of its own

// The settings and the names by which a plan's objects are made.
std::string fingerprint_of(const SinkOptions& options) {
  const Layout& layout = options.layout;
  return fmt::format("1 {} {} {} {} {} {}", options.shape.fingerprint(), layout.topics_dir, layout.directory_delim,
                     layout.file_delim, layout.pad,
                     options.dead_letter_topic.empty() ? "dead objects" : "dead records");
}

// As Connect does: where the topic is not there, it is made with one partition. A cluster that cannot be reached, or
// that does not let us look, shows when there is a dead letter.
Result<> make_dead_letter_topic(const SinkOptions& options, const kafka::ClientConfig& config) {
  auto admin = kafka::Admin::open(config);
  if (!admin) return pass(admin.error());
  const std::string& name = options.dead_letter_topic;
  const auto topics = (*admin)->list_topics(true);
  if (!topics || std::ranges::find(*topics, name) != topics->end()) return {};
  auto made = (*admin)->create_topic({.name = name,
                                      .partitions = 1,
                                      .replication_factor = static_cast<int16_t>(options.dead_letter_replicas),
                                      .configs = {}});
  if (made) {
    info("sink {}: made the topic {} for dead letters", options.name, name);
    return {};
  }
  if (made.error().code == Code::already_exists || made.error().code == Code::unavailable) return {};
  return pass(made.error(), "sink {}: the topic {} for dead letters cannot be made", options.name, name);
}

bool is_chain(const SinkOptions& options) { return options.shape.is_plain() && options.dead_letter_topic.empty(); }

}  // namespace

Sink::Sink() = default;
Sink::~Sink() { (void)stop(); }

Result<std::unique_ptr<Sink>> Sink::start(SinkOptions options, object::Store& store,
                                          const kafka::ClientConfig& config) {
  if (auto good = check(options); !good) return pass(good.error());
  auto sink = std::unique_ptr<Sink>(new Sink());
  sink->shared_ = std::make_unique<Shared>(std::move(options), store, config);
  Shared& shared = *sink->shared_;
  const int tasks = shared.tasks = std::min(shared.options.tasks, kMostTasks);
  std::shared_ptr<const connect::Encoding> finisher;
  if (!is_chain(shared.options)) {
    shared.fingerprint = fingerprint_of(shared.options);
    auto encoding = connect::Encoding::make(shared.options.shape);
    if (!encoding) return pass(encoding.error(), "sink {}", shared.options.name);
    finisher = std::make_shared<const connect::Encoding>(std::move(*encoding));
    shared.finish = [finisher](connect::Lines& lines) { return finisher->finish(std::move(lines)); };
  }
  if (!shared.options.dead_letter_topic.empty()) {
    if (auto made = make_dead_letter_topic(shared.options, config); !made) return pass(made.error());
    kafka::WriterOptions with{.client_id = shared.options.name + "-dead-letters"};
    with.max_message_bytes = kLongestDeadLetter;
    auto writer = kafka::RdTopicWriter::open(config, with);
    if (!writer) return pass(writer.error());
    shared.dead_letters = std::move(*writer);
  }
  kafka::ClientConfig brisk = config;
  // A broker answers the requests of a connection in order: a fetch that waits for records holds up what comes behind.
  brisk.properties.insert(brisk.properties.begin(), {"fetch.wait.max.ms", fmt::to_string(kFetchWaitMs)});
  // Topics of one partition would all go to the first member by "range".
  brisk.properties.insert(brisk.properties.begin(), {"partition.assignment.strategy", "roundrobin,range"});
  for (int task = 0; task < tasks; ++task) {
    const std::string id = tasks == 1 ? shared.options.name : fmt::format("{}-{}", shared.options.name, task);
    auto consumer = kafka::Consumer::open(brisk, {.group = "connect-" + shared.options.name,
                                                  .client_id = id,
                                                  .reset = kafka::Reset::none,
                                                  .queue_kbytes = std::max(kQueueKbytes / tasks, kLeastQueueKbytes)});
    if (!consumer) return pass(consumer.error());
    // And one that never fetches, for questions.
    auto questioner = kafka::Consumer::open(config, {.client_id = id + "-questions"});
    if (!questioner) return pass(questioner.error());
    std::optional<connect::Encoding> encoding;
    if (finisher) encoding = connect::Encoding::make(shared.options.shape).value();
    sink->workers_.push_back(
        std::make_unique<Worker>(shared, std::move(encoding), std::move(*consumer), std::move(*questioner)));
  }
  for (const auto& worker : sink->workers_)
    if (auto started = worker->start(); !started) return pass(started.error());
  return sink;
}

SinkCounts Sink::counts() const {
  SinkCounts all;
  if (shared_) all.memory_bytes = shared_->open_bytes + shared_->pool.bytes();
  for (const auto& worker : workers_) {
    SinkCounts one = worker->counts();
    all.taken += one.taken;
    all.in_objects += one.in_objects;
    all.dead += one.dead;
    all.skipped += one.skipped;
    all.ignored += one.ignored;
    all.objects += one.objects;
    all.dead_objects += one.dead_objects;
    all.bytes += one.bytes;
    std::ranges::move(one.partitions, std::back_inserter(all.partitions));
  }
  std::ranges::sort(all.partitions, {}, [](const PartitionCounts& one) { return std::tie(one.topic, one.partition); });
  return all;
}

std::optional<Error> Sink::failure() const {
  for (const auto& worker : workers_)
    if (auto failure = worker->failure()) return failure;
  return std::nullopt;
}

Result<> Sink::run_until_caught_up() {
  std::vector<std::future<Result<>>> waits;
  for (const auto& worker : workers_)
    waits.push_back(std::async(std::launch::async, [&worker] { return worker->run_until_caught_up(); }));
  Result<> all;
  for (auto& wait : waits)
    if (auto one = wait.get(); !one && all) all = one;
  return all;
}

void Sink::flush() {
  for (const auto& worker : workers_) worker->flush();
}

Result<> Sink::stop() {
  for (const auto& worker : workers_) worker->request_stop();
  Result<> all;
  for (const auto& worker : workers_)
    if (auto one = worker->stop(); !one && all) all = one;
  return all;
}

}  // namespace pinflow::sink
