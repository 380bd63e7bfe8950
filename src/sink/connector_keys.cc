#include "sink/connector_keys.h"

#include <algorithm>
#include <array>

namespace pinflow::sink {
namespace {

constexpr std::array kDemands = {
    Demand{"connector.class", "io.confluent.connect.s3.S3SinkConnector S3SinkConnector S3Sink",
           "this sink takes the place of the S3 sink connector only"},
    Demand{"storage.class", "io.confluent.connect.s3.storage.S3Storage", "only this storage class is known"},
    Demand{"s3.schema.partition.affix.type", "NONE", "names carry no schema"},
    Demand{"transforms", "", "transformations are not supported; the pipeline's cleaning does that work"},
    Demand{"predicates", "", "there are no transformations to choose records for"},
    Demand{"json.decimal.format", "BASE64 NUMERIC", "numbers are written as they are"},
    Demand{"s3.proxy.url", "", "a proxy is taken from the environment: https_proxy, no_proxy"},
    Demand{"s3.credentials.provider.class",
           "com.amazonaws.auth.DefaultAWSCredentialsProviderChain "
           "io.confluent.connect.storage.common.util.DefaultCredentialsProvider "
           "software.amazon.awssdk.auth.credentials.DefaultCredentialsProvider",
           "credentials are found as AWS's own tools find them; a Java class cannot be loaded"},
};

// One that ends in '*' stands for all that begin so.
struct Harmless {
  std::string_view key;
  std::string_view why;
};
constexpr std::array kHarmless = {
    Harmless{"schema.compatibility", "values have no schema"},
    Harmless{"schemas.cache.*", "values have no schema"},
    Harmless{"avro.codec", "Avro is not written"},
    Harmless{"connect.meta.data", "values have no schema"},
    Harmless{"enhanced.avro.schema.support", "Avro is not written"},
    Harmless{"enable.conditional.writes", "objects are always put if absent"},
    Harmless{"max.files.scan.limit", "the lake is read as far as needed"},
    Harmless{"max.write.duration.ms", "a store that fails is tried until it works"},
    Harmless{"retry.backoff.ms", "the pauses grow by themselves"},
    Harmless{"shutdown.timeout.ms", "what is in progress is written first"},
    Harmless{"errors.retry.*", "nothing that can be tried again is given up"},
    Harmless{"errors.log.include.messages", "a line names the topic, the partition and the offset, never the bytes"},
    Harmless{"predicates.*", "there are no transformations"},
    Harmless{"consumer.override.*", "the sink sets its own consumer up; see --command-config"},
    Harmless{"header.converter*", "headers are written as text, or as base64 where they are none"},
    Harmless{"config.action.reload", "this is no Connect worker"},
    Harmless{"tasks.*", "this is no Connect worker"},
    Harmless{"confluent.*", "no licence is needed"},
    Harmless{"locale", "names of months and days are English"},
    Harmless{"s3.wan.mode", "a bucket's acceleration is an endpoint: set store.url"},
    Harmless{"s3.send.digest", "every upload carries its digest"},
    Harmless{"s3.elastic.buffer.*", "memory is shared: buffer.memory.bytes"},
    Harmless{"s3.http.send.expect.continue", "bodies are sent at once"},
    Harmless{"s3.object.behavior.on.tagging.failure", "tags are part of the upload"},
};

bool matches(std::string_view pattern, std::string_view key) {
  return pattern.ends_with('*') ? key.starts_with(pattern.substr(0, pattern.size() - 1)) : key == pattern;
}

}  // namespace

const Demand* find_demand(std::string_view key) {
  const auto found = std::ranges::find(kDemands, key, &Demand::key);
  return found == kDemands.end() ? nullptr : &*found;
}

std::optional<std::string_view> why_harmless(std::string_view key) {
  const auto found = std::ranges::find_if(kHarmless, [&](const Harmless& one) { return matches(one.key, key); });
  if (found == kHarmless.end()) return std::nullopt;
  return found->why;
}

bool is_one_of(std::string_view value, std::string_view values) {
  while (!values.empty()) {
    const size_t blank = std::min(values.find(' '), values.size());
    if (values.substr(0, blank) == value) return true;
    values.remove_prefix(std::min(blank + 1, values.size()));
  }
  return value.empty();
}

}  // namespace pinflow::sink
