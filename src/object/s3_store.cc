#include "object/s3_store.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>

#include "aws/digest.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/files.h"
#include "base/logging.h"
#include "object/s3_client.h"
#include "object/s3_upload.h"
#include "object/s3_xml.h"
#include "object/staging.h"

namespace pinflow::object {
namespace {

namespace fs = std::filesystem;

constexpr size_t kFetchesAtOnce = 16;

class S3Store final : public Store {
 public:
  S3Store(std::unique_ptr<S3Options> options, std::shared_ptr<aws::CredentialsProvider> credentials,
          std::unique_ptr<S3Client> client, Staging staging)
      : options_(std::move(options)),
        credentials_(std::move(credentials)),
        client_(std::move(client)),
        upload_(*client_, *options_),
        staging_(std::move(staging)),
        key_prefix_(options_->prefix.empty() ? "" : options_->prefix + "/") {}

  std::string url() const override {
    return fmt::format("s3://{}{}{}", options_->bucket, options_->prefix.empty() ? "" : "/", options_->prefix);
  }

  Result<> put_if_absent(std::string_view name, std::string_view bytes) override { return make(name, bytes, true); }
  Result<> put(std::string_view name, std::string_view bytes) override { return make(name, bytes, false); }

  Result<> put_file_if_absent(std::string_view name, const fs::path& finished) override {
    auto put = put_file(name, finished);
    std::error_code ignored;
    fs::remove(finished, ignored);
    return put;
  }

  Result<std::string> get(std::string_view name) override {
    std::string bytes;
    auto got = read_all(name, [&](std::string part) {
      if (bytes.empty()) bytes = std::move(part);
      else bytes += part;
      return Result<>{};
    });
    if (!got) return pass(got.error());
    return bytes;
  }

  Result<LocalFile> fetch(std::string_view name) override {
    const fs::path path = staging_.new_path();
    const Fd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!file) return system_error(errno, fmt::format("open {}", path.string()));
    const std::shared_ptr<void> keeper(nullptr, [path](void*) {
      std::error_code ignored;
      fs::remove(path, ignored);
    });
    auto got = read_all(name, [&](const std::string& part) { return write_all(file.get(), part, path.string()); });
    if (!got) return pass(got.error());
    return LocalFile(path, keeper);
  }

  size_t fetches_at_once() const override { return kFetchesAtOnce; }

  Result<ObjectInfo> stat(std::string_view name) override {
    auto key = key_of(name);
    if (!key) return pass(key.error());
    const S3Call call{.method = "HEAD", .key = *key, .headers = customer_key_headers(*options_)};
    auto reply = client_->call(call);
    if (!reply) return pass(reply.error());
    if (!reply->ok()) return client_->refusal(call, *reply);
    const std::string_view length = reply->header("Content-Length");
    ObjectInfo info{std::string(name), 0, parse_http_date(reply->header("Last-Modified")).value_or(0)};
    std::from_chars(length.data(), length.data() + length.size(), info.size);
    return info;
  }

  Result<> remove(std::string_view name) override {
    auto key = key_of(name);
    if (!key) return pass(key.error());
    const S3Call call{.method = "DELETE", .key = *key};
    auto reply = client_->call(call);
    if (!reply) return pass(reply.error());
    if (!reply->ok() && parse_failure(reply->body).code != "NoSuchKey") return client_->refusal(call, *reply);
    return {};
  }

  Result<std::vector<ObjectInfo>> list(std::string_view prefix, std::string_view after) override {
    std::vector<ObjectInfo> all;
    S3Call call{.query = {{"encoding-type", "url"}, {"list-type", "2"}, {"prefix", key_prefix_ + std::string(prefix)}}};
    if (!after.empty()) call.query.emplace_back("start-after", key_prefix_ + std::string(after));
    const size_t fixed = call.query.size();
    do {
      auto reply = client_->call(call);
      if (!reply) return pass(reply.error());
      if (!reply->ok()) return client_->refusal(call, *reply);
      auto page = parse_list(reply->body);
      if (!page) return pass(page.error(), "list {}/{}", url(), prefix);
      for (ObjectInfo& object : page->objects) {
        if (!object.name.starts_with(key_prefix_)) continue;
        object.name.erase(0, key_prefix_.size());
        // Names that no Store has made: folders' markers, somebody's hidden files.
        if (check_name(object.name) && object.name > after) all.push_back(std::move(object));
      }
      call.query.resize(fixed);
      if (!page->next.empty()) call.query.emplace_back("continuation-token", page->next);
    } while (call.query.size() > fixed);
    std::ranges::sort(all, {}, &ObjectInfo::name);
    return all;
  }

  fs::path staging() const override { return staging_.path(); }

  Result<int> abort_leftovers(std::chrono::hours older_than) {
    const int64_t before = now_ms() - std::chrono::duration_cast<std::chrono::milliseconds>(older_than).count();
    int aborted = 0;
    S3Call call{.query = {{"encoding-type", "url"}, {"prefix", key_prefix_}, {"uploads", ""}}};
    const size_t fixed = call.query.size();
    do {
      auto reply = client_->call(call);
      if (!reply) return pass(reply.error());
      if (!reply->ok()) return client_->refusal(call, *reply);
      auto page = parse_uploads(reply->body);
      if (!page) return pass(page.error(), "uploads of {}", url());
      for (const S3PendingUpload& upload : page->uploads) {
        if (upload.begun_ms == 0 || upload.begun_ms > before || !upload.key.starts_with(key_prefix_)) continue;
        const S3Call abort{.method = "DELETE", .key = upload.key, .query = {{"uploadId", upload.id}}};
        auto gone = client_->call(abort);
        if (!gone) return pass(gone.error());
        if (!gone->ok() && gone->status != 404) return client_->refusal(abort, *gone);
        ++aborted;
      }
      call.query.resize(fixed);
      if (!page->next_key.empty()) {
        call.query.emplace_back("key-marker", page->next_key);
        call.query.emplace_back("upload-id-marker", page->next_id);
      }
    } while (call.query.size() > fixed);
    return aborted;
  }

 private:
  Result<std::string> key_of(std::string_view name) const {
    if (auto good = check_name(name); !good) return pass(good.error());
    return key_prefix_ + std::string(name);
  }

  Result<> make(std::string_view name, std::string_view bytes, bool if_absent) {
    auto key = key_of(name);
    if (!key) return pass(key.error());
    const S3Upload::Object object{*key, if_absent};
    if (static_cast<int64_t>(bytes.size()) <= options_->part_bytes) return upload_.put(object, bytes);
    return upload_.put_in_parts(
        object, static_cast<int64_t>(bytes.size()), [bytes](int64_t offset, int64_t length) -> Result<std::string> {
          return std::string(bytes.substr(static_cast<size_t>(offset), static_cast<size_t>(length)));
        });
  }

  Result<> put_file(std::string_view name, const fs::path& finished) {
    auto key = key_of(name);
    if (!key) return pass(key.error());
    std::error_code error;
    const auto size = static_cast<int64_t>(fs::file_size(finished, error));
    if (error) return system_error(error.value(), fmt::format("stat {}", finished.string()));
    if (size <= options_->part_bytes) {
      auto bytes = read_file(finished);
      if (!bytes) return pass(bytes.error());
      return upload_.put({*key, true}, *bytes);
    }
    const Fd file(::open(finished.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file) return system_error(errno, fmt::format("open {}", finished.string()));
    return upload_.put_in_parts({*key, true}, size, [&](int64_t offset, int64_t length) -> Result<std::string> {
      std::string part(static_cast<size_t>(length), '\0');
      for (size_t got = 0; got < part.size();) {
        const ssize_t count =
            ::pread(file.get(), part.data() + got, part.size() - got, offset + static_cast<int64_t>(got));
        if (count < 0) return system_error(errno, fmt::format("read {}", finished.string()));
        if (count == 0) return corrupt("{} became shorter while it was read", finished.string());
        got += static_cast<size_t>(count);
      }
      return part;
    });
  }

  // The object's bytes from the first to the last, part by part; all parts are of one and the same object.
  Result<> read_all(std::string_view name, const std::function<Result<>(std::string)>& take) {
    auto key = key_of(name);
    if (!key) return pass(key.error());
    std::string etag;
    int64_t size = -1;
    for (int64_t at = 0; size < 0 || at < size;) {
      S3Call call{.key = *key, .headers = customer_key_headers(*options_)};
      call.headers.push_back({"range", fmt::format("bytes={}-{}", at, at + options_->part_bytes - 1)});
      if (!etag.empty()) call.headers.push_back({"if-match", etag});
      auto reply = client_->call(call);
      if (!reply) return pass(reply.error());
      if (reply->status == 416 && at == 0) return {};  // an empty object has no range
      if (reply->status == 412)
        return fail(Code::conflict, "s3://{}/{} was replaced while it was read", options_->bucket, *key);
      if (!reply->ok()) return client_->refusal(call, *reply);
      const int64_t got = static_cast<int64_t>(reply->body.size());
      if (size < 0) {
        etag = reply->header("ETag");
        size = reply->status == 206 ? whole_size(reply->header("Content-Range")) : got;
        if (size < got) return corrupt("s3://{}/{}: the answer names no whole size", options_->bucket, *key);
        if (got == size && etag_is_md5(*options_, *reply) && !etag.contains(to_hex(aws::md5(reply->body))))
          return corrupt("s3://{}/{}: the bytes do not match the object's checksum (ETag {})", options_->bucket, *key,
                         etag);
      }
      if (got == 0 && at < size) return corrupt("s3://{}/{}: a range came back empty", options_->bucket, *key);
      at += got;
      if (auto taken = take(std::move(reply->body)); !taken) return taken;
    }
    return {};
  }

  // "bytes 0-99/1234" -> 1234; -1 where it does not say.
  static int64_t whole_size(std::string_view range) {
    int64_t size = -1;
    const std::string_view text = range.substr(std::min(range.find('/') + 1, range.size()));
    std::from_chars(text.data(), text.data() + text.size(), size);
    return size;
  }

  const std::unique_ptr<S3Options> options_;  // in one place, as others refer to it
  const std::shared_ptr<aws::CredentialsProvider> credentials_;
  const std::unique_ptr<S3Client> client_;
  S3Upload upload_;
  Staging staging_;
  const std::string key_prefix_;
};

}  // namespace

Result<S3Options> parse_s3_url(std::string_view url) {
  constexpr std::string_view kScheme = "s3://";
  S3Options options;
  if (!url.starts_with(kScheme)) return invalid("'{}' is not a URL such as s3://BUCKET/PREFIX", url);
  std::string_view rest = url.substr(kScheme.size());
  const size_t slash = std::min(rest.find('/'), rest.size());
  options.bucket = rest.substr(0, slash);
  rest.remove_prefix(std::min(slash + 1, rest.size()));
  while (rest.ends_with('/')) rest.remove_suffix(1);
  options.prefix = rest;
  // The rules that matter for a URL; S3 names the others itself.
  if (options.bucket.size() < 3 || options.bucket.size() > 63 ||
      options.bucket.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789.-") != std::string::npos)
    return invalid("'{}': '{}' is no bucket's name (3 to 63 of a-z, 0-9, '-', '.')", url, options.bucket);
  if (!options.prefix.empty())
    if (auto good = check_name(options.prefix); !good) return pass(good.error(), "'{}'", url);
  return options;
}

Result<std::unique_ptr<Store>> open_s3(S3Options options, std::shared_ptr<aws::CredentialsProvider> credentials) {
  auto kept = std::make_unique<S3Options>(std::move(options));
  if (kept->region.empty()) kept->region = "us-east-1";
  auto client = S3Client::create(*kept, *credentials);
  if (!client) return pass(client.error());
  std::error_code error;
  if (kept->spool.empty()) kept->spool = fs::temp_directory_path() / fmt::format("pinflow-spool-{}", ::getuid());
  fs::create_directories(kept->spool, error);
  if (error) return system_error(error.value(), fmt::format("mkdir {}", kept->spool.string()));
  auto staging = Staging::open(kept->spool);
  if (!staging) return pass(staging.error());
  return std::make_unique<S3Store>(std::move(kept), std::move(credentials), std::move(*client), std::move(*staging));
}

Result<int> abort_leftovers(Store& s3, std::chrono::hours older_than) {
  auto* store = dynamic_cast<S3Store*>(&s3);
  return store ? store->abort_leftovers(older_than) : 0;
}

}  // namespace pinflow::object
