#include "app/kinesis_part.h"

#include <sys/resource.h>

#include <cstdio>
#include <map>

#include "app/counts.h"
#include "aws/shared_config.h"
#include "base/files.h"
#include "base/logging.h"
#include "base/shutdown.h"

namespace pinflow::app {
namespace {

constexpr std::string_view kDefaultRegion = "us-east-1";

std::string setting(const Context& context, const char* name) {
  const auto found = context.pipeline.settings.find(name);
  return found == context.pipeline.settings.end() ? "" : found->second;
}

// Access key id -> secret, of every profile in a file such as ~/.aws/credentials.
Result<std::map<std::string, std::string>> read_keys(const std::filesystem::path& file) {
  auto text = read_file(file);
  if (!text) return pass(text.error(), "the keys of the streams' service");
  aws::SharedConfig config;
  if (auto read = config.add(*text, file.string(), false); !read) return pass(read.error());
  std::map<std::string, std::string> keys;
  for (const auto& [name, profile] : config.profiles()) {
    const auto id = profile.find("aws_access_key_id"), secret = profile.find("aws_secret_access_key");
    if (id == profile.end() && secret == profile.end()) continue;
    if (id == profile.end() || secret == profile.end() || id->second.empty() || secret->second.empty())
      return invalid("{}: [{}] needs both aws_access_key_id and aws_secret_access_key", file.string(), name);
    keys[id->second] = secret->second;
  }
  if (keys.empty()) {
    return invalid("{} holds no keys: write [NAME], aws_access_key_id = … and aws_secret_access_key = …",
                   file.string());
  }
  return keys;
}

Result<std::map<std::string, std::string>> keys_of(const Context& context, const Address& listen, bool warns) {
  std::filesystem::path file = context.options.keys;
  if (file.empty()) {
    if (const std::string given = setting(context, "kinesis.keys"); !given.empty())
      file = context.pipeline.folder / given;
  }
  if (!file.empty()) return read_keys(file);
  if (!is_loopback(listen.host)) {
    return fail(Code::denied,
                "the streams' service would listen on {}, beyond this machine, and take everybody: name a file of "
                "keys with --keys FILE, in the form of ~/.aws/credentials",
                listen.text());
  }
  if (warns) warn("the streams' service on {} takes any key; --keys FILE says which", listen.host);
  return std::map<std::string, std::string>{};
}

Result<bool> has_shard_limits(const Context& context) {
  const std::string given = setting(context, "kinesis.shard_limits");
  if (context.options.shard_limits || given == "true") return true;
  if (given.empty() || given == "false") return false;
  return invalid("the setting kinesis.shard_limits is '{}'; it must be true or false", given);
}

// Each shard has a file open.
void allow_many_files() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

Result<std::unique_ptr<EmbeddedStreams>> EmbeddedStreams::start(const Context& context, const Address& listen,
                                                                bool warns, std::string_view flag) {
  auto keys = keys_of(context, listen, warns);
  if (!keys) return pass(keys.error());
  auto limits = has_shard_limits(context);
  if (!limits) return pass(limits.error());
  allow_many_files();
  kinesis::ServiceOptions options;
  options.http.host = listen.host;
  options.http.port = listen.port;
  options.address_hint = fmt::format("; the flag is {}", flag);
  options.keys = std::move(*keys);
  options.shard_limits = *limits;
  if (const std::string region = setting(context, "kinesis.region"); !region.empty()) options.region = region;
  else options.region = kDefaultRegion;
  auto made = std::unique_ptr<EmbeddedStreams>(new EmbeddedStreams);
  made->host_ = listen.host;
  made->region_ = options.region;
  if (!options.keys.empty())
    made->keys_ = aws::Credentials{options.keys.begin()->first, options.keys.begin()->second, "", std::nullopt};
  auto service = kinesis::Service::start(std::move(options), context.options.data / "log/kinesis");
  if (!service) return pass(service.error());
  made->service_ = std::move(*service);
  return made;
}

std::string EmbeddedStreams::address() const {
  // Of every address of this machine, one that works here.
  const std::string host = host_ == "0.0.0.0" || host_ == "::" ? "127.0.0.1" : host_;
  return Address{host, service_->port()}.text();
}

Result<> EmbeddedStreams::make_streams(const pipeline::Pipeline& pipeline) {
  for (const pipeline::RecordType& record : pipeline.records) {
    if (record.stream.empty()) continue;
    if (auto made = service_->make_stream(record.stream, 1); !made) return made;
  }
  return {};
}

Result<int> run_streams(const Context& context) {
  auto address = listen_address(context, "streams", true);
  if (!address) return pass(address.error());
  auto streams = EmbeddedStreams::start(context, *address, true, "--listen HOST:PORT");
  if (!streams) return pass(streams.error());
  if (context.options.make_streams) {
    if (auto made = (*streams)->make_streams(context.pipeline); !made) return pass(made.error());
  }
  fmt::print("{:<9} {}\nready: Ctrl-C stops\n", "streams", (*streams)->url());
  std::fflush(stdout);
  while (!wait_for_stop(std::chrono::milliseconds(500))) {
  }
  (*streams)->stop();
  const kinesis::ServiceCounts counts = (*streams)->counts();
  fmt::print("stopped: {} records put, {} read\n", grouped(counts.records_put), grouped(counts.records_read));
  return 0;
}

}  // namespace pinflow::app
