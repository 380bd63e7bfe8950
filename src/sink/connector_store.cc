#include "sink/connector_store.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/bytes.h"

namespace pinflow::sink {
namespace {

constexpr std::string_view kDefaultRegion = "us-west-2";  // the connector's
constexpr int64_t kSmallestPart = 5 << 20;                // S3's own bounds
constexpr int64_t kLargestPart = int64_t{1} << 30;
constexpr int64_t kMostPartMemory = 64 << 20;  // of the parts of one object under way

constexpr std::array kKeys = {
    "store.url",
    "s3.bucket.name",
    "s3.region",
    "s3.path.style.access.enabled",
    "s3.part.size",
    "s3.part.retries",
    "s3.retry.backoff.ms",
    "s3.ssea.name",
    "s3.sse.kms.key.id",
    "s3.sse.customer.key",
    "s3.acl.canned",
    "s3.object.tagging",
    "s3.request.timeout.ms",
    "s3.object.tagging.key.value.pairs",
    "aws.access.key.id",
    "aws.secret.access.key",
};

constexpr std::array kAcls = {"private",       "public-read",        "public-read-write", "authenticated-read",
                              "aws-exec-read", "log-delivery-write", "bucket-owner-read", "bucket-owner-full-control"};

class StoreReader {
 public:
  StoreReader(const ConnectorValues& values, Connector& connector) : values_(values), connector_(connector) {}

  Result<> read(bool lake_given) {
    if (lake_given) return ignore_all("--lake names the store");
    const Property* url = find("store.url");
    const bool has_url = url && !trimmed(url->value).empty();
    if (has_url && url->value.starts_with("file:")) return folder(*url);
    if (!find("s3.bucket.name")) {
      if (has_url) return values_.wrong(*url, "beside an s3.bucket.name, or file:///DIR");
      return ignore_all("there is no s3.bucket.name, and the lake is this program's own");
    }
    return bucket(has_url ? url : nullptr);
  }

 private:
  const Property* find(std::string_view key) const { return values_.properties().find(key); }

  Result<> ignore_all(std::string_view why, std::string_view but = {}) {
    for (const char* key : kKeys)
      if (const Property* property = find(key); property && key != but)
        connector_.remarks.push_back(values_.ignored(*property, why));
    return {};
  }

  Result<> folder(const Property& url) {
    constexpr std::string_view kScheme = "file://";
    constexpr std::string_view kMustBe =
        "file:///DIR, an absolute folder after three slashes, with %XX for special characters";
    if (!url.value.starts_with(kScheme)) return values_.wrong(url, kMustBe);
    std::string path;
    for (std::string_view rest = std::string_view(url.value).substr(kScheme.size()); !rest.empty();) {
      unsigned byte = 0;
      if (rest[0] == '%') {
        if (rest.size() < 3 || std::from_chars(rest.data() + 1, rest.data() + 3, byte, 16).ptr != rest.data() + 3 ||
            byte == 0)
          return values_.wrong(url, kMustBe);
        path.push_back(static_cast<char>(byte));
        rest.remove_prefix(3);
      } else {
        path.push_back(rest[0]);
        rest.remove_prefix(1);
      }
    }
    if (!path.starts_with('/')) return values_.wrong(url, kMustBe);
    connector_.folder = path;
    return ignore_all("the store is the folder of store.url", "store.url");
  }

  Result<> bucket(const Property* url) {
    const Property* bucket = find("s3.bucket.name");
    auto parsed = object::parse_s3_url("s3://" + std::string(trimmed(bucket->value)));
    if (!parsed || !parsed->prefix.empty())
      return values_.wrong(*bucket, "a bucket's name (3 to 63 of a-z, 0-9, '-', '.')");
    object::S3Options& s3 = connector_.s3.emplace();
    s3.bucket = parsed->bucket;
    if (url) {
      s3.endpoint = trimmed(url->value);
      if (!s3.endpoint.starts_with("http://") && !s3.endpoint.starts_with("https://"))
        return values_.wrong(*url, "http://HOST:PORT, https://HOST or file:///DIR");
    }
    const Property* region = find("s3.region");
    s3.region = region ? std::string(trimmed(region->value)) : std::string(kDefaultRegion);
    s3.path_style = true;
    if (const Property* style = find("s3.path.style.access.enabled")) {
      auto enabled = values_.boolean(*style);
      if (!enabled) return pass(enabled.error());
      s3.path_style = *enabled;
    }
    for (auto part : {&StoreReader::uploads, &StoreReader::encryption, &StoreReader::new_objects, &StoreReader::keys})
      if (auto good = (this->*part)(s3); !good) return good;
    return {};
  }

  Result<> uploads(object::S3Options& s3) {
    if (const Property* size = find("s3.part.size")) {
      auto bytes = values_.number(*size, kSmallestPart, kLargestPart);
      if (!bytes) return pass(bytes.error());
      s3.part_bytes = *bytes;
      s3.parallel = static_cast<int>(std::clamp<int64_t>(kMostPartMemory / *bytes, 1, s3.parallel));
    }
    if (const Property* retries = find("s3.part.retries")) {
      auto count = values_.number(*retries, 0, 100);
      if (!count) return pass(count.error());
      s3.attempts = static_cast<int>(*count) + 1;
    }
    if (const Property* backoff = find("s3.retry.backoff.ms")) {
      auto ms = values_.number(*backoff, 0, 86'400'000);
      if (!ms) return pass(ms.error());
      s3.backoff = std::chrono::milliseconds(std::max<int64_t>(*ms, 1));
    }
    if (const Property* timeout = find("s3.request.timeout.ms")) {
      auto ms = values_.number(*timeout, 100, 3'600'000);
      if (!ms) return pass(ms.error());
      s3.timeout_ms = static_cast<int>(*ms);
    }
    return {};
  }

  Result<> encryption(object::S3Options& s3) {
    if (const Property* name = find("s3.ssea.name"); name && !trimmed(name->value).empty()) {
      const std::string_view algorithm = trimmed(name->value);
      if (algorithm != "AES256" && algorithm != "aws:kms") return values_.wrong(*name, "AES256 or aws:kms");
      s3.server_side_encryption = algorithm;
    }
    if (const Property* id = find("s3.sse.kms.key.id"); id && !trimmed(id->value).empty()) {
      if (s3.server_side_encryption != "aws:kms") return values_.refuse(*id, "s3.ssea.name must be aws:kms");
      s3.kms_key_id = trimmed(id->value);
    }
    if (const Property* key = find("s3.sse.customer.key"); key && !key->value.empty()) {
      // The value is a secret: no message shows it.
      if (!base64_decode(key->value, s3.customer_key) || s3.customer_key.size() != 32)
        return invalid("{}:{}: s3.sse.customer.key must be 32 bytes in base64", values_.properties().file(), key->line);
      s3.server_side_encryption.clear();
    }
    return {};
  }

  Result<> new_objects(object::S3Options& s3) {
    if (const Property* acl = find("s3.acl.canned"); acl && !trimmed(acl->value).empty() && acl->value != "null") {
      if (std::ranges::find(kAcls, trimmed(acl->value)) == kAcls.end())
        return values_.wrong(*acl, "a canned ACL, such as bucket-owner-full-control");
      s3.canned_acl = trimmed(acl->value);
    }
    bool tagging = false;
    if (const Property* on = find("s3.object.tagging")) {
      auto enabled = values_.boolean(*on);
      if (!enabled) return pass(enabled.error());
      tagging = *enabled;
    }
    const Property* pairs = find("s3.object.tagging.key.value.pairs");
    if (!tagging) return {};
    if (pairs) {
      for (const std::string& pair : list_of(pairs->value)) {
        const size_t colon = pair.find(':');
        if (colon == 0 || colon == std::string::npos)
          return values_.wrong(*pairs, "a list such as team:posts,stage:test");
        s3.tags[pair.substr(0, colon)] = pair.substr(colon + 1);
      }
    }
    if (s3.tags.empty())
      connector_.remarks.push_back(values_.ignored(*find("s3.object.tagging"),
                                                   "offsets and counts are not written as tags; the plans hold them"));
    return {};
  }

  Result<> keys(object::S3Options&) {
    const Property* id = find("aws.access.key.id");
    const Property* secret = find("aws.secret.access.key");
    const bool has_id = id && !id->value.empty(), has_secret = secret && !secret->value.empty();
    if (has_id != has_secret) {
      const Property& only = has_id ? *id : *secret;
      return invalid("{}:{}: {} stands without {}", values_.properties().file(), only.line, only.key,
                     has_id ? "aws.secret.access.key" : "aws.access.key.id");
    }
    if (has_id) connector_.keys = aws::Credentials{id->value, secret->value, "", {}};
    return {};
  }

  const ConnectorValues& values_;
  Connector& connector_;
};

}  // namespace

bool is_store_key(std::string_view key) { return std::ranges::find(kKeys, key) != kKeys.end(); }

Result<> read_store(const ConnectorValues& values, bool lake_given, Connector& connector) {
  return StoreReader(values, connector).read(lake_given);
}

}  // namespace pinflow::sink
