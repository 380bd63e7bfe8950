#include "object/s3_upload.h"

#include <algorithm>
#include <random>

#include "aws/canonical.h"
#include "aws/digest.h"
#include "base/bytes.h"
#include "base/logging.h"
#include "object/s3_xml.h"

namespace pinflow::object {
namespace {

constexpr std::string_view kIdHeader = "x-amz-meta-pinflow-upload";

// Tells our upload from every other.
std::string new_id() {
  thread_local std::random_device random;
  std::string bytes(16, '\0');
  for (size_t i = 0; i < bytes.size(); i += 4) store_big(bytes.data() + i, static_cast<uint32_t>(random()));
  return to_hex(bytes);
}

std::string without_quotes(std::string_view etag) {
  if (etag.starts_with('"') && etag.ends_with('"') && etag.size() > 1) etag = etag.substr(1, etag.size() - 2);
  return std::string(etag);
}

}  // namespace

std::vector<http::HeaderField> customer_key_headers(const S3Options& options) {
  if (options.customer_key.empty()) return {};
  return {{"x-amz-server-side-encryption-customer-algorithm", "AES256"},
          {"x-amz-server-side-encryption-customer-key", base64_encode(options.customer_key)},
          {"x-amz-server-side-encryption-customer-key-md5", base64_encode(aws::md5(options.customer_key))}};
}

std::vector<http::HeaderField> new_object_headers(const S3Options& options) {
  std::vector<http::HeaderField> headers = customer_key_headers(options);
  if (!options.server_side_encryption.empty())
    headers.push_back({"x-amz-server-side-encryption", options.server_side_encryption});
  if (!options.kms_key_id.empty())
    headers.push_back({"x-amz-server-side-encryption-aws-kms-key-id", options.kms_key_id});
  if (!options.canned_acl.empty()) headers.push_back({"x-amz-acl", options.canned_acl});
  if (!options.tags.empty()) {
    std::string tags;
    for (const auto& [name, value] : options.tags)
      tags += fmt::format("{}{}={}", tags.empty() ? "" : "&", aws::percent_encode(name, false),
                          aws::percent_encode(value, false));
    headers.push_back({"x-amz-tagging", tags});
  }
  return headers;
}

bool etag_is_md5(const S3Options& options, const S3Reply& reply) {
  if (!options.customer_key.empty() || options.server_side_encryption.starts_with("aws:kms") ||
      reply.header("x-amz-server-side-encryption").starts_with("aws:kms"))
    return false;
  const std::string etag = without_quotes(reply.header("ETag"));
  return etag.size() == 32 && etag.find_first_not_of("0123456789abcdef") == std::string::npos;
}

S3Call S3Upload::call_for(const Object& object, std::string_view bytes, const std::string& id) const {
  S3Call call{.method = "PUT", .key = object.key, .headers = new_object_headers(options_), .body = bytes};
  call.headers.push_back({std::string(kIdHeader), id});
  if (object.if_absent) call.headers.push_back({"if-none-match", "*"});
  return call;
}

Result<> S3Upload::put(const Object& object, std::string_view bytes) {
  const std::string id = new_id();
  const std::string sum = aws::md5(bytes);
  S3Call call = call_for(object, bytes, id);
  call.headers.push_back({"content-md5", base64_encode(sum)});
  return judge(call, client_.call(call), id, sum);
}

Result<> S3Upload::judge(const S3Call& call, const Result<S3Reply>& reply, const std::string& id,
                         std::string_view md5) {
  if (!reply) return pass(reply.error());
  if (reply->status == 412 && reply->maybe_done_before) {
    auto mine = is_mine(call.key, id);
    if (!mine) return pass(mine.error());
    if (*mine) return {};
  }
  if (!reply->ok()) return client_.refusal(call, *reply);
  const std::string_view etag = reply->header("ETag");
  if (!md5.empty() && etag_is_md5(options_, *reply) && without_quotes(etag) != to_hex(md5))
    return corrupt(
        "s3://{}/{}: what the service stored has another checksum (ETag {}) than what was sent ({}). Compare the "
        "object with its source before anything reads it",
        options_.bucket, call.key, without_quotes(etag), to_hex(md5));
  return {};
}

Result<bool> S3Upload::is_mine(const std::string& key, const std::string& id) {
  const S3Call call{.method = "HEAD", .key = key, .headers = customer_key_headers(options_)};
  auto reply = client_.call(call);
  if (!reply) return pass(reply.error());
  if (!reply->ok()) return client_.refusal(call, *reply);
  return reply->header(kIdHeader) == id;
}

Result<> S3Upload::put_in_parts(const Object& object, int64_t size, const Read& read) {
  const std::string id = new_id();
  S3Call begin{
      .method = "POST", .key = object.key, .query = {{"uploads", ""}}, .headers = new_object_headers(options_)};
  begin.headers.push_back({std::string(kIdHeader), id});
  auto begun = client_.call(begin);
  if (!begun) return pass(begun.error());
  if (!begun->ok()) return client_.refusal(begin, *begun);
  auto upload = parse_upload_id(begun->body);
  if (!upload) return pass(upload.error(), "s3://{}/{}", options_.bucket, object.key);
  auto etags = send_parts(object.key, *upload, size, read);
  auto done = etags ? complete(object, *upload, id, *etags) : Result<>(pass(etags.error()));
  // Where the answer to the completion was lost, an abort of what was completed does no harm.
  if (!done) abort(object.key, *upload);
  return done;
}

Result<std::vector<std::string>> S3Upload::send_parts(const std::string& key, const std::string& upload, int64_t size,
                                                      const Read& read) {
  std::vector<std::string> etags;
  for (int64_t at = 0; at < size;) {
    std::vector<std::string> parts, sums;
    std::vector<S3Call> calls;
    for (int i = 0; i < options_.parallel && at < size; ++i) {
      auto part = read(at, std::min(options_.part_bytes, size - at));
      if (!part) return pass(part.error());
      at += static_cast<int64_t>(part->size());
      parts.push_back(std::move(*part));
    }
    for (const std::string& part : parts) {
      sums.push_back(aws::md5(part));
      S3Call call{.method = "PUT", .key = key, .headers = customer_key_headers(options_), .body = part};
      call.query = {{"partNumber", fmt::format("{}", etags.size() + calls.size() + 1)}, {"uploadId", upload}};
      call.headers.push_back({"content-md5", base64_encode(sums.back())});
      calls.push_back(std::move(call));
    }
    const auto replies = client_.call_all(calls);
    for (size_t i = 0; i < calls.size(); ++i) {
      if (auto good = judge(calls[i], replies[i], {}, sums[i]); !good) return pass(good.error());
      etags.emplace_back(replies[i]->header("ETag"));
    }
  }
  return etags;
}

Result<> S3Upload::complete(const Object& object, const std::string& upload, const std::string& id,
                            const std::vector<std::string>& etags) {
  const std::string body = complete_body(etags);
  S3Call call{.method = "POST",
              .key = object.key,
              .query = {{"uploadId", upload}},
              .headers = customer_key_headers(options_),
              .body = body};
  if (object.if_absent) call.headers.push_back({"if-none-match", "*"});
  bool maybe_done = false;
  for (int attempt = 1;; ++attempt) {
    auto reply = client_.call(call);
    if (!reply) return pass(reply.error());
    maybe_done = maybe_done || reply->maybe_done_before;
    const S3Failure failure = parse_failure(reply->body);
    if (reply->ok() && failure.code.empty()) return {};
    // A completion that takes long is answered with 200 first, and with what came of it in the body.
    if (reply->ok() && failure.code == "InternalError" && attempt < options_.attempts) {
      maybe_done = true;
      continue;
    }
    if (maybe_done && (reply->status == 412 || failure.code == "NoSuchUpload")) {
      auto mine = is_mine(object.key, id);
      if (mine && *mine) return {};
      if (!mine && mine.error().code != Code::not_found) return pass(mine.error());
    }
    return client_.refusal(call, *reply);
  }
}

void S3Upload::abort(const std::string& key, const std::string& upload) {
  auto reply = client_.call({.method = "DELETE", .key = key, .query = {{"uploadId", upload}}});
  if (!reply) warn("an upload is left over: {}. Its parts cost storage until it is aborted", reply.error().message);
}

}  // namespace pinflow::object
