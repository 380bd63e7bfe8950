#include "app/posting.h"

#include <fmt/format.h>

#include <iostream>
#include <thread>

#include "app/counts.h"
#include "app/source_commands.h"
#include "base/json.h"
#include "base/logging.h"
#include "source/reader.h"

namespace pinflow::app {
namespace {

constexpr std::string_view kDefaultUrl = "http://127.0.0.1:8082/prod";
constexpr int64_t kCoursePosts = 11'154;  // the course's database has as many

emulate::EmulateOptions emulate_options(const Context& context, const std::string& url, emulate::Legs legs) {
  const Options& o = context.options;
  emulate::EmulateOptions options;
  options.url = url;
  for (const pipeline::RecordType& record : context.pipeline.records)
    options.records.push_back({.name = record.name,
                               .topic = record.topic,
                               .stream = record.from_topic ? std::string() : record.stream,
                               .partition_key = record.partition_key,
                               .key_field = record.source_key});
  options.legs = legs;
  options.posts = o.posts;
  options.all = o.all;
  options.seed = o.seed;
  options.rate = o.rate;
  options.course_pace = o.course_pace;
  options.connections = o.connections;
  options.records_per_request = o.records_per_request;
  return options;
}

// The URL without the "user:password@" that it may have.
std::string without_credentials(const std::string& url) {
  const size_t host = url.find("://") == std::string::npos ? 0 : url.find("://") + 3;
  const size_t at = url.rfind('@', url.find('/', host));
  return at == std::string::npos || at < host ? url : url.substr(0, host) + url.substr(at + 1);
}

std::string as_line(const emulate::EmulateCounts& counts) {
  std::string line =
      fmt::format("{} posts, {} records posted, {} acknowledged, {} refused, {} given up, {} answers lost, {} retries",
                  grouped(counts.posts), grouped(counts.posted), grouped(counts.acknowledged), grouped(counts.refused),
                  grouped(counts.given_up), grouped(counts.answers_lost), grouped(counts.retries));
  if (counts.seconds > 0)
    line += fmt::format(" ({:.1f} s, {} records/s)", counts.seconds,
                        grouped(static_cast<int64_t>(static_cast<double>(counts.acknowledged) / counts.seconds)));
  return line;
}

void add_counts(JsonWriter& json, const emulate::LegCounts& counts) {
  json.key("posted").number(counts.posted);
  json.key("acknowledged").number(counts.acknowledged).key("refused").number(counts.refused);
  json.key("given_up").number(counts.given_up).key("answers_lost").number(counts.answers_lost);
  json.key("retries").number(counts.retries);
}

// With both legs the numbers of each stand behind those of all.
std::string as_json(const emulate::EmulateCounts& counts) {
  JsonWriter json;
  json.begin_object().key("posts").number(counts.posts);
  add_counts(json, counts);
  json.key("seconds").number(counts.seconds);
  if (counts.batch.posted > 0 && counts.stream.posted > 0) {
    add_counts(json.key("batch").begin_object(), counts.batch);
    add_counts(json.end_object().key("stream").begin_object(), counts.stream);
    json.end_object();
  }
  return json.end_object().take();
}

Result<std::unique_ptr<source::PostReader>> open_reader(const Context& context, Progress& progress) {
  auto url = ready_source(context, progress);
  if (!url) return pass(url.error());
  return source::PostReader::open(*url, context.pipeline);
}

}  // namespace

Result<emulate::EmulateCounts> post_all(const Context& context, const std::string& url, Progress& progress,
                                        emulate::Legs legs) {
  auto reader = open_reader(context, progress);
  if (!reader) return pass(reader.error());
  auto rows = emulate::rows_of(**reader);
  auto options = emulate_options(context, url, legs);
  auto in_all = rows->count();
  if (!in_all) return pass(in_all.error());
  const int64_t posts = options.all ? *in_all : options.posts.value_or(kCoursePosts);
  if (!options.all) options.posts = posts;
  return emulate::emulate(
      *rows, options, [&](const emulate::EmulateCounts& counts) { progress.update("posting", counts.posts, posts); });
}

Result<int> run_emulate(const Context& context) {
  Progress progress(context.options.format == Format::json);
  auto reader = open_reader(context, progress);
  if (!reader) return pass(reader.error());
  auto rows = emulate::rows_of(**reader);
  const std::string url = context.options.url.empty() ? std::string(kDefaultUrl) : context.options.url;
  const bool stream = context.options.stream_leg;
  auto options = emulate_options(context, url, {.batch = context.options.batch_leg || !stream, .stream = stream});
  if (context.options.verbose) options.verbose = &std::cout;
  progress.say(fmt::format("posting to {}", without_credentials(url)));
  auto counts = emulate::emulate(*rows, options, [&](const emulate::EmulateCounts& so_far) {
    progress.update("posting", so_far.posts, options.posts.value_or(0));
  });
  progress.clear();
  if (!counts) return pass(counts.error());
  std::cout.flush();
  if (context.options.format == Format::json) fmt::print("{}\n", as_json(*counts));
  else fmt::print(context.options.verbose ? stderr : stdout, "{}\n", as_line(*counts));
  if (!counts->first_refusal.empty()) error("refused: {}", counts->first_refusal);
  if (counts->failure) return pass(*counts->failure);
  return counts->acknowledged == counts->posted ? 0 : 1;
}

struct BackgroundPosting::State {
  std::unique_ptr<source::PostReader> reader;
  std::unique_ptr<emulate::RowSource> rows;
  emulate::EmulateOptions options;
  Result<emulate::EmulateCounts> counts;
  std::thread thread;
};

BackgroundPosting::BackgroundPosting(std::unique_ptr<State> state) : state_(std::move(state)) {}
BackgroundPosting::BackgroundPosting(BackgroundPosting&&) noexcept = default;
BackgroundPosting::~BackgroundPosting() {
  if (state_) finish();
}

Result<BackgroundPosting> BackgroundPosting::start(const Context& context, const std::string& url, emulate::Legs legs) {
  Progress progress(false);
  auto reader = open_reader(context, progress);
  if (!reader) return pass(reader.error());
  auto state = std::make_unique<State>();
  state->reader = std::move(*reader);
  state->rows = emulate::rows_of(*state->reader);
  state->options = emulate_options(context, url, legs);
  state->thread = std::thread([s = state.get()] { s->counts = emulate::emulate(*s->rows, s->options); });
  return BackgroundPosting(std::move(state));
}

void BackgroundPosting::finish() {
  if (!state_->thread.joinable()) return;
  state_->thread.join();
  if (!state_->counts) error("emulate: {}", state_->counts.error().message);
  else info("emulate: {}", as_line(*state_->counts));
}

}  // namespace pinflow::app
