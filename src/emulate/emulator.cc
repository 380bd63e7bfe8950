#include "emulate/emulator.h"

#include <algorithm>
#include <ostream>
#include <random>

#include "base/clock.h"
#include "base/logging.h"
#include "base/shutdown.h"
#include "emulate/backoff.h"
#include "emulate/outbox.h"
#include "emulate/read_ahead.h"
#include "emulate/rest.h"
#include "emulate/stream_rest.h"
#include "http/client.h"

namespace pinflow::emulate {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kProgressEvery{100};
constexpr milliseconds kLongestSleep{50};  // so that a stop is noticed
constexpr milliseconds kCompanyWait{50};   // how long a record waits for others to fill its request
constexpr size_t kMaxAnswerBytes = 16 << 20;

enum class Leg { batch, stream };

// Where the records of one type go in one leg.
struct Outlet {
  Leg leg = Leg::batch;
  size_t type = 0;  // of record
  std::string url;  // of the topic or the stream
};

std::vector<Outlet> outlets_of(const EmulateOptions& options) {
  std::string base = options.url;
  while (base.ends_with('/')) base.pop_back();
  std::vector<Outlet> outlets;
  for (size_t type = 0; type < options.records.size(); ++type) {
    const RecordTarget& record = options.records[type];
    if (options.legs.batch) outlets.push_back({Leg::batch, type, fmt::format("{}/topics/{}", base, record.topic)});
    if (options.legs.stream && !record.stream.empty())
      outlets.push_back({Leg::stream, type, fmt::format("{}/streams/{}", base, record.stream)});
  }
  return outlets;
}

class Loop {
 public:
  Loop(http::Client& http, ReadAhead& posts, const EmulateOptions& options, const OnProgress& progress)
      : http_(http),
        posts_(posts),
        options_(options),
        progress_(progress),
        outlets_(outlets_of(options)),
        outbox_(outlets_.size(), static_cast<size_t>(options.records_per_request)) {
    for (LegCounts* counts : {static_cast<LegCounts*>(&counts_), &counts_.batch, &counts_.stream})
      counts->acknowledged_by_type.resize(options.records.size());
  }

  EmulateCounts run() {
    next_post_ = Clock::now();
    while (!over()) {
      take_posts();
      send_parcels();
      rest();
      report(false);
    }
    finish();
    report(true);
    return counts_;
  }

 private:
  bool drawing() const { return !counts_.stopped && !counts_.failure && !drawn_all_; }

  // Nothing more to do, or the time that a stop allows is up.
  bool over() {
    if (!counts_.stopped && stop_requested()) {
      counts_.stopped = !drawn_all_ || !outbox_.empty() || http_.under_way() > 0;
      drain_until_ = Clock::now() + milliseconds(options_.drain_ms);
    }
    if (drain_until_ && Clock::now() >= *drain_until_) return true;
    if (counts_.failure && !drain_until_) drain_until_ = Clock::now() + milliseconds(options_.drain_ms);
    return !drawing() && outbox_.empty() && http_.under_way() == 0;
  }

  // As many posts as may go out now. The requests in memory are at most twice the connections and one post's.
  void take_posts() {
    const auto now = Clock::now();
    const auto enough = static_cast<size_t>(options_.connections);
    while (drawing() && outbox_.ready() < enough && outbox_.waiting() < enough) {
      if (options_.course_pace) {
        if (http_.under_way() > 0 || !outbox_.empty()) return;
        if (!paused_post_) {
          paused_post_ = posts_.take();
          if (!paused_post_) return at_end();
          next_post_ = now + std::chrono::seconds(paused_post_->draw.pause_s);
        }
        if (next_post_ > now) return;
        add(*paused_post_);
        paused_post_.reset();
        outbox_.flush();
        return;
      }
      if (options_.rate > 0 && next_post_ > now) break;
      std::optional<Post> post = posts_.take();
      if (!post) {
        at_end();
        break;
      }
      if (options_.rate > 0) {
        const auto step = std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(1 / options_.rate));
        next_post_ = std::max(next_post_, now - milliseconds(100)) + step;  // never makes up for more than 0.1 s
      }
      add(*post);
      last_added_ = now;
    }
    if (outbox_.building() && (!drawing() || now - last_added_ >= kCompanyWait)) outbox_.flush();
  }

  // The next post is not there: because there is none, or because reading is slow.
  void at_end() {
    if (!posts_.over()) return;
    drawn_all_ = true;
    if (auto failure = posts_.failure()) counts_.failure = std::move(failure);
  }

  void add(Post& post) {
    ++counts_.posts;
    if (options_.verbose) show(post);
    for (size_t i = 0; i < outlets_.size(); ++i) {
      const Outlet& outlet = outlets_[i];
      const std::string& record = post.records[outlet.type];
      if (record.empty()) continue;
      if (outlet.leg == Leg::batch) {
        outbox_.add(i, record);
      } else {
        const RecordTarget& target = options_.records[outlet.type];
        outbox_.add(i, stream_record(record, target.partition_key.empty() ? field_text(record, target.key_field)
                                                                          : target.partition_key));
      }
    }
  }

  void show(const Post& post) {
    std::string line = "{";
    for (size_t type = 0; type < post.records.size(); ++type) {
      if (post.records[type].empty()) continue;
      if (line.size() > 1) line += ',';
      line += fmt::format("\"{}\":{}", options_.records[type].name, post.records[type]);
    }
    *options_.verbose << line << "}\n";
  }

  void send_parcels() {
    const auto now = Clock::now();
    while (http_.under_way() < static_cast<size_t>(options_.connections)) {
      std::optional<Parcel> parcel = outbox_.take(now);
      if (!parcel) return;
      send(std::move(*parcel), now);
    }
  }

  // Adds to the leg's number and to that of both.
  void count(size_t outlet, int64_t LegCounts::*number, size_t records) {
    counts_.*number += static_cast<int64_t>(records);
    (outlets_[outlet].leg == Leg::batch ? counts_.batch : counts_.stream).*number += static_cast<int64_t>(records);
  }

  http::ClientRequest request_of(const Parcel& parcel) const {
    const Outlet& outlet = outlets_[parcel.type];
    if (outlet.leg == Leg::batch) return {"POST", outlet.url, batch_headers_, request_body(parcel.values)};
    const std::string& stream = options_.records[outlet.type].stream;
    if (parcel.values.size() == 1)
      return {"PUT", outlet.url + "/record", stream_headers_, put_record_body(stream, parcel.values[0])};
    return {"PUT", outlet.url + "/records", stream_headers_, put_records_body(stream, parcel.values)};
  }

  void send(Parcel parcel, Clock::time_point now) {
    if (parcel.tries == 0) {
      count(parcel.type, &LegCounts::posted, parcel.values.size());
      parcel.first_sent = now;
    } else {
      count(parcel.type, &LegCounts::retries, parcel.values.size());
    }
    ++parcel.tries;
    http::ClientRequest request = request_of(parcel);
    http_.send(std::move(request), [this, parcel = std::move(parcel)](http::Outcome outcome) mutable {
      settle(std::move(parcel), std::move(outcome));
    });
  }

  void settle(Parcel parcel, http::Outcome outcome) {
    if (!outcome.response) {
      if (outcome.sent) count(parcel.type, &LegCounts::answers_lost, parcel.values.size());
      return retry(std::move(parcel), outcome.response.error().message, std::nullopt);
    }
    answered_ = true;
    const http::Response& response = *outcome.response;
    const Outlet& outlet = outlets_[parcel.type];
    ProduceAnswer answer = outlet.leg == Leg::batch
                               ? read_answer(response.status, response.body, parcel.values.size())
                               : read_stream_answer(response.status, response.body, parcel.values.size());
    if (answer.whole && parcel.values.size() > 1) return send_singly(std::move(parcel));
    Parcel left{.type = parcel.type, .values = {}, .tries = parcel.tries, .first_sent = parcel.first_sent};
    std::string reason;
    for (size_t i = 0; i < parcel.values.size(); ++i) {
      RecordFate& record = answer.records[i];
      switch (record.fate) {
        case Fate::stored:
          count(parcel.type, &LegCounts::acknowledged, 1);
          ++counts_.acknowledged_by_type[outlet.type];
          ++(outlet.leg == Leg::batch ? counts_.batch : counts_.stream).acknowledged_by_type[outlet.type];
          break;
        case Fate::refused: refuse(parcel.type, record.reason); break;
        case Fate::unclear: count(parcel.type, &LegCounts::answers_lost, 1); [[fallthrough]];
        case Fate::again: reason = std::move(record.reason); left.values.push_back(std::move(parcel.values[i]));
      }
    }
    if (left.values.empty()) return;
    retry(std::move(left), fmt::format("{}: {}", outlet.url, reason),
          retry_after(http::find_header(response.headers, "Retry-After")));
  }

  void refuse(size_t type, const std::string& reason) {
    count(type, &LegCounts::refused, 1);
    if (counts_.first_refusal.empty()) counts_.first_refusal = fmt::format("{}: {}", outlets_[type].url, reason);
  }

  // One of these records made the server refuse all of them.
  void send_singly(Parcel parcel) {
    for (std::string& value : parcel.values) {
      Parcel one{.type = parcel.type, .values = {}, .tries = parcel.tries, .first_sent = parcel.first_sent};
      one.values.push_back(std::move(value));
      outbox_.again(std::move(one), Clock::now());
    }
  }

  void retry(Parcel parcel, const std::string& reason, std::optional<std::chrono::seconds> asked) {
    const auto now = Clock::now();
    const auto when = now + backoff_.before(parcel.tries, random_(), asked);
    const int allowed = answered_ || options_.give_up_ms == 0 ? options_.give_up_ms
                                                              : std::min(options_.give_up_ms, options_.first_answer_ms);
    if (allowed > 0 && when > parcel.first_sent + milliseconds(allowed)) return give_up(parcel, reason);
    if (!warned_ && !drain_until_) {
      warned_ = true;
      warn("emulate: {} (trying again; further ones are counted)", reason);
    }
    outbox_.again(std::move(parcel), when);
  }

  void give_up(const Parcel& parcel, const std::string& reason) {
    count(parcel.type, &LegCounts::given_up, parcel.values.size());
    if (counts_.failure || counts_.stopped) return;
    counts_.failure = Error{Code::unavailable, fmt::format("given up after {} tries: {}", parcel.tries, reason)};
  }

  // Sleeps until there is something to do.
  void rest() {
    if (!drawing() && outbox_.empty() && http_.under_way() == 0) return;
    const auto now = Clock::now();
    auto until = now + kLongestSleep;
    if (const auto due = outbox_.next_due()) until = std::min(until, *due);
    const bool timed = options_.rate > 0 || options_.course_pace;
    if (drawing() && timed && next_post_ > now) until = std::min(until, next_post_);
    const bool hungry = drawing() && http_.under_way() < static_cast<size_t>(options_.connections) && next_post_ <= now;
    if (hungry) until = std::min(until, now + milliseconds(2));  // for a post that is being read
    const auto left = std::max(milliseconds(0), std::chrono::ceil<milliseconds>(until - now));
    if (hungry && http_.under_way() == 0 && outbox_.ready() == 0) posts_.wait(left);
    else http_.wait(left);
  }

  void report(bool last) {
    const auto now = Clock::now();
    if (!progress_ || (!last && now - reported_ < kProgressEvery)) return;
    reported_ = now;
    counts_.seconds = watch_.seconds();
    progress_(counts_);
  }

  // What is left when no more time is: under way, or never sent.
  void finish() {
    http_.cancel();
    for (const Parcel& parcel : outbox_.drain()) {
      if (parcel.tries > 0) count(parcel.type, &LegCounts::given_up, parcel.values.size());
    }
    counts_.seconds = watch_.seconds();
    if (options_.verbose) options_.verbose->flush();
  }

  http::Client& http_;
  ReadAhead& posts_;
  const EmulateOptions& options_;
  const OnProgress& progress_;
  const std::vector<Outlet> outlets_;  // a parcel's type is one of these
  const std::vector<http::HeaderField> batch_headers_{{"Content-Type", std::string(kJsonRecords)}};
  const std::vector<http::HeaderField> stream_headers_{{"Content-Type", "application/json"}};
  Outbox outbox_;
  Backoff backoff_;
  std::mt19937_64 random_{std::random_device()()};
  EmulateCounts counts_;
  Stopwatch watch_;
  std::optional<Post> paused_post_;  // with the course's pauses: the one whose pause runs
  Clock::time_point next_post_{};    // with a rate or pauses: when the next may go
  Clock::time_point last_added_{};
  Clock::time_point reported_{};
  std::optional<Clock::time_point> drain_until_;
  bool drawn_all_ = false;
  bool answered_ = false;  // the server has answered at least once
  bool warned_ = false;
};

Result<> check(const EmulateOptions& options) {
  if (!options.url.starts_with("http://") && !options.url.starts_with("https://")) {
    return invalid("the URL to post to must begin with http:// or https://, not '{}'", options.url);
  }
  if (options.connections < 1) return invalid("--connections must be at least 1");
  if (options.records_per_request < 1) return invalid("--records-per-request must be at least 1");
  if (options.rate < 0) return invalid("--rate must not be negative");
  return {};
}

}  // namespace

Result<EmulateCounts> emulate(RowSource& rows, const EmulateOptions& options, const OnProgress& progress) {
  if (auto checked = check(options); !checked) return pass(checked.error());
  const auto count = rows.count();
  if (!count) return pass(count.error());
  if (*count == 0) return invalid("the source holds no posts; `pinflow source generate` or `source load` makes some");
  auto http = http::Client::create({.max_connections = options.connections,
                                    .max_response_bytes = kMaxAnswerBytes,
                                    .timeout_ms = options.request_timeout_ms});
  if (!http) return pass(http.error());
  const int readers = options.course_pace ? 1 : std::clamp(options.connections / 8, 1, 8);
  ReadAhead posts(rows, Draws(*count, options.seed, options.posts, options.all), readers,
                  static_cast<size_t>(std::max(1, options.read_ahead)));
  return Loop(**http, posts, options, progress).run();
}

}  // namespace pinflow::emulate
