#include "stream/lease.h"

#include <simdjson.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <random>
#include <thread>

#include "base/clock.h"
#include "base/files.h"
#include "base/json.h"
#include "base/logging.h"

namespace pinflow::stream {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kSettle{50};  // between writing a lease that was another's and believing in it

std::string first_line(const char* path) {
  auto text = read_file(path);
  if (!text) return {};
  return text->substr(0, text->find('\n'));
}

// The machine and its boot: a process id means something only there.
std::string this_host() {
  char name[256] = {};
  gethostname(name, sizeof name - 1);
  return std::string(name) + "/" + first_line("/proc/sys/kernel/random/boot_id");
}

// Field 22 of /proc/<pid>/stat, which tells processes of one id apart; 0: there is no such process.
int64_t started_at(int64_t process) {
  const std::string stat = first_line(fmt::format("/proc/{}/stat", process).c_str());
  size_t at = stat.rfind(')');
  for (int field = 2; at != std::string::npos && field < 22; ++field) at = stat.find(' ', at + 1);
  return at == std::string::npos ? 0 : std::atoll(stat.c_str() + at);
}

std::string random_name() {
  std::random_device device;
  return fmt::format("{:08x}{:08x}", device(), device());
}

}  // namespace

std::string write_lease(const LeaseRecord& lease) {
  JsonWriter json;
  json.begin_object().key("owner").string(lease.owner).key("host").string(lease.host);
  json.key("process").number(lease.process).key("started").number(lease.started);
  json.key("beat").number(lease.beat).key("until_ms").number(lease.until_ms).end_object();
  return json.take() + "\n";
}

std::optional<LeaseRecord> parse_lease(std::string_view json) {
  simdjson::dom::parser parser;
  const simdjson::padded_string padded(json);
  try {
    const simdjson::dom::object lease = parser.parse(padded);
    return LeaseRecord{std::string(std::string_view(lease["owner"])),
                       std::string(std::string_view(lease["host"])),
                       int64_t(lease["process"]),
                       int64_t(lease["started"]),
                       int64_t(lease["beat"]),
                       int64_t(lease["until_ms"])};
  } catch (const simdjson::simdjson_error&) {
    return std::nullopt;
  }
}

Lease::Lease(object::Store& store, const std::string& feed, milliseconds length)
    : store_(store), name_("state/leases/stream/" + feed + ".json"), length_(length) {
  ours_.owner = random_name();
  ours_.host = this_host();
  ours_.process = getpid();
  ours_.started = started_at(ours_.process);
}

Lease::~Lease() { release(); }

Result<std::optional<LeaseRecord>> Lease::read() {
  const auto text = store_.get(name_);
  if (text) return parse_lease(*text);  // what is no lease is free to take
  if (text.error().code == Code::not_found) return std::nullopt;
  return pass(text.error(), "reading a lease");
}

bool Lease::is_free(const LeaseRecord& there) {
  if (there.host == ours_.host && started_at(there.process) != there.started) return true;
  if (now_ms() > there.until_ms) return true;
  if (!other_ || *other_ != there) {
    other_ = there;
    other_since_ = Clock::now();
    return false;
  }
  return Clock::now() - other_since_ > length_;
}

Result<> Lease::write() {
  ++ours_.beat;
  ours_.until_ms = now_ms() + length_.count();
  written_ = Clock::now();
  auto put = store_.put(name_, write_lease(ours_));
  if (!put) return pass(put.error(), "writing a lease");
  return {};
}

Result<bool> Lease::try_take() {
  const auto there = read();
  if (!there) return pass(there.error());
  if (*there && (*there)->owner != ours_.owner && !is_free(**there)) return false;
  if (auto written = write(); !written) return pass(written.error());
  if (*there) std::this_thread::sleep_for(kSettle);
  const auto now = read();
  if (!now) return pass(now.error());
  held_ = *now && (*now)->owner == ours_.owner;
  if (!held_ && *now) {
    other_ = **now;
    other_since_ = Clock::now();
  }
  return held_;
}

Result<bool> Lease::keep() {
  if (!held_ || Clock::now() - written_ < length_ / 3) return held_;
  const auto there = read();
  if (!there) return pass(there.error());
  if (!*there || (*there)->owner != ours_.owner) {
    held_ = false;
    if (*there) {
      other_ = **there;
      other_since_ = Clock::now();
    }
    return false;
  }
  if (auto written = write(); !written) return pass(written.error());
  return true;
}

void Lease::release() {
  if (!held_) return;
  held_ = false;
  const auto there = read();
  if (!there || !*there || (*there)->owner != ours_.owner) return;
  if (auto gone = store_.remove(name_); !gone) debug("stream: {}", gone.error().message);
}

std::string Lease::holder() const {
  if (!other_) return "nobody";
  return fmt::format("process {} on {}", other_->process, other_->host.substr(0, other_->host.find('/')));
}

}  // namespace pinflow::stream
