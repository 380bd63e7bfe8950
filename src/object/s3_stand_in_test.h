// A small S3 in memory for the unit tests: one bucket, path style, signatures checked, conditional writes, multipart
// uploads, lists in pages of two. Faults are asked for at each request. Real servers are asked in tests/strangers/s3.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "aws/canonical.h"
#include "aws/digest.h"
#include "aws/verify.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "http/server.h"
#include "object/s3_store.h"

namespace pinflow::object {

class S3StandIn {
 public:
  struct Fault {
    http::Response response;
    bool after_work = false;  // the work is done, and its answer replaced
    bool drop = false;        // no answer at all: the time is over at the client
  };
  using Faults = std::function<std::optional<Fault>(const std::string& method, const std::string& target)>;

  S3StandIn()
      : verifier_({"us-east-1", "s3"}, [](const std::string& key) -> std::optional<std::string> {
          if (key != "AKIDTEST") return std::nullopt;
          return "secret";
        }) {
    server_ =
        std::move(*http::Server::start({.threads = 2}, [this](const http::Request& request, http::Respond respond) {
          std::lock_guard lock(mutex_);
          ++requests_;
          targets_.push_back(request.method + " " + request.target);
          std::optional<Fault> fault;
          if (faults_) fault = faults_(request.method, request.target);
          if (fault && !fault->after_work) {
            if (fault->drop) dropped_.push_back(respond);
            else respond(fault->response);
            return;
          }
          http::Response response = serve(request);
          if (!fault) respond(response);
          else if (fault->drop) dropped_.push_back(respond);
          else respond(fault->response);
        }));
  }
  ~S3StandIn() {
    std::vector<http::Respond> dropped;
    {
      std::lock_guard lock(mutex_);
      dropped.swap(dropped_);
    }
    dropped.clear();
    server_->stop(0);
  }

  static std::shared_ptr<aws::CredentialsProvider> keys(std::string secret = "secret") {
    return aws::fixed_credentials({"AKIDTEST", std::move(secret), "", {}});
  }
  S3Options options(const std::filesystem::path& spool) const {
    S3Options options;
    options.bucket = "bucket";
    options.prefix = "some/prefix";
    options.endpoint = fmt::format("http://127.0.0.1:{}", server_->port());
    options.part_bytes = 1000;
    options.backoff = std::chrono::milliseconds(1);
    options.spool = spool;
    return options;
  }
  void inject(Faults faults) {
    std::lock_guard lock(mutex_);
    faults_ = std::move(faults);
  }
  int requests() {
    std::lock_guard lock(mutex_);
    return requests_;
  }
  std::vector<std::string> targets() {
    std::lock_guard lock(mutex_);
    return targets_;
  }
  size_t open_uploads() {
    std::lock_guard lock(mutex_);
    return uploads_.size();
  }
  std::string object(const std::string& key) {
    std::lock_guard lock(mutex_);
    return objects_.at(key).bytes;
  }
  void tamper(const std::string& key) {
    std::lock_guard lock(mutex_);
    objects_.at(key).bytes[0] ^= 1;
  }
  void skew_clock(int64_t ms) {
    std::lock_guard lock(mutex_);
    skew_ms_ = ms;
  }

  static http::Response error(int status, const std::string& code, std::vector<http::HeaderField> headers = {}) {
    return {status, "application/xml", std::move(headers),
            fmt::format("<?xml version=\"1.0\"?><Error><Code>{}</Code><Message>m</Message></Error>", code)};
  }

 private:
  struct Object {
    std::string bytes, etag, id;
  };
  struct Upload {
    std::string key, id;
    std::map<int, std::string> parts;
  };

  static std::map<std::string, std::string> query_of(std::string_view query) {
    std::map<std::string, std::string> parameters;
    while (!query.empty()) {
      const std::string_view one = query.substr(0, query.find('&'));
      query.remove_prefix(std::min(one.size() + 1, query.size()));
      const size_t equals = std::min(one.find('='), one.size());
      parameters[aws::percent_decode(one.substr(0, equals))] =
          aws::percent_decode(one.substr(std::min(equals + 1, one.size())));
    }
    return parameters;
  }

  http::Response serve(const http::Request& request) {
    const auto caller = verifier_.verify(request, now_ms() + skew_ms_);
    if (!caller) {
      switch (caller.error().problem) {
        case aws::AuthProblem::unknown_key: return error(403, "InvalidAccessKeyId");
        case aws::AuthProblem::expired:
          return {403,
                  "application/xml",
                  {},
                  fmt::format("<Error><Code>RequestTimeTooSkewed</Code><ServerTime>{}</ServerTime></Error>",
                              iso_time(now_ms() + skew_ms_))};
        default: return error(403, "SignatureDoesNotMatch");
      }
    }
    const size_t mark = std::min(request.target.find('?'), request.target.size());
    const std::string path = aws::percent_decode(request.target.substr(0, mark));
    auto query = query_of(std::string_view(request.target).substr(std::min(mark + 1, request.target.size())));
    if (path == "/bucket") return query.contains("uploads") ? list_uploads() : list(query);
    if (!path.starts_with("/bucket/")) return error(404, "NoSuchBucket");
    return object_request(request, path.substr(8), query);
  }

  http::Response object_request(const http::Request& request, const std::string& key,
                                std::map<std::string, std::string>& query) {
    const bool taken = objects_.contains(key);
    const bool if_absent = request.header("if-none-match") == "*";
    const std::string sum(request.header("content-md5"));
    if (!sum.empty() && sum != base64_encode(aws::md5(request.body))) return error(400, "BadDigest");
    if (request.method == "POST" && query.contains("uploads")) {
      const std::string id = fmt::format("upload-{}", ++last_upload_);
      uploads_[id] = {key, std::string(request.header("x-amz-meta-pinflow-upload")), {}};
      return {
          200,
          "application/xml",
          {},
          fmt::format("<InitiateMultipartUploadResult><UploadId>{}</UploadId></InitiateMultipartUploadResult>", id)};
    }
    if (const auto id = query.find("uploadId"); id != query.end()) {
      const auto upload = uploads_.find(id->second);
      if (upload == uploads_.end()) return error(404, "NoSuchUpload");
      if (request.method == "PUT") {
        upload->second.parts[std::stoi(query["partNumber"])] = request.body;
        return {200, "", {{"ETag", quoted_md5(request.body)}}, ""};
      }
      if (request.method == "DELETE") {
        uploads_.erase(upload);
        return {204, "", {}, ""};
      }
      if (if_absent && taken) return error(412, "PreconditionFailed");
      Object made{"", "\"abc-2\"", upload->second.id};
      for (const auto& [number, part] : upload->second.parts) made.bytes += part;
      objects_[key] = std::move(made);
      uploads_.erase(upload);
      return {200, "application/xml", {}, "<CompleteMultipartUploadResult/>"};
    }
    if (request.method == "PUT") {
      if (if_absent && taken) return error(412, "PreconditionFailed");
      objects_[key] = {request.body, quoted_md5(request.body),
                       std::string(request.header("x-amz-meta-pinflow-upload"))};
      return {200, "", {{"ETag", objects_[key].etag}}, ""};
    }
    if (request.method == "DELETE") {
      objects_.erase(key);
      return {204, "", {}, ""};
    }
    if (!taken) return error(404, "NoSuchKey");
    const Object& object = objects_[key];
    const std::vector<http::HeaderField> headers = {{"ETag", object.etag},
                                                    {"Last-Modified", "Mon, 28 Dec 2020 03:52:47 GMT"},
                                                    {"x-amz-meta-pinflow-upload", object.id}};
    const std::string_view range = request.header("range");
    if (range.empty()) return {200, "", headers, object.bytes};
    if (object.bytes.empty()) return error(416, "InvalidRange");
    const std::string_view match = request.header("if-match");
    if (!match.empty() && match != object.etag) return error(412, "PreconditionFailed");
    const size_t first = std::stoul(std::string(range.substr(6)));
    const size_t last = std::min(std::stoul(std::string(range.substr(range.find('-') + 1))), object.bytes.size() - 1);
    auto with_range = headers;
    with_range.push_back({"Content-Range", fmt::format("bytes {}-{}/{}", first, last, object.bytes.size())});
    return {206, "", with_range, object.bytes.substr(first, last - first + 1)};
  }

  http::Response list(std::map<std::string, std::string>& query) {
    const std::string from = query.contains("continuation-token") ? query["continuation-token"] : query["start-after"];
    std::string body =
        "<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><EncodingType>url</EncodingType>";
    int count = 0;
    std::string last;
    bool more = false;
    for (const auto& [key, object] : objects_) {
      if (!key.starts_with(query["prefix"]) || key <= from) continue;
      if (count++ == 2) {
        more = true;
        break;
      }
      last = key;
      body += fmt::format(
          "<Contents><Key>{}</Key><LastModified>2020-08-28T03:52:47.000Z</LastModified><Size>{}</Size></Contents>",
          aws::percent_encode(key, true), object.bytes.size());
    }
    body += fmt::format("<IsTruncated>{}</IsTruncated>", more);
    if (more) body += fmt::format("<NextContinuationToken>{}</NextContinuationToken>", last);
    return {200, "application/xml", {}, body + "</ListBucketResult>"};
  }

  http::Response list_uploads() {
    std::string body = "<ListMultipartUploadsResult>";
    for (const auto& [id, upload] : uploads_)
      body += fmt::format(
          "<Upload><Key>{}</Key><UploadId>{}</UploadId><Initiated>2020-08-28T03:52:47.000Z</Initiated></Upload>",
          upload.key, id);
    return {200, "application/xml", {}, body + "<IsTruncated>false</IsTruncated></ListMultipartUploadsResult>"};
  }

  static std::string quoted_md5(std::string_view bytes) { return "\"" + to_hex(aws::md5(bytes)) + "\""; }

  aws::Verifier verifier_;
  std::mutex mutex_;  // of all below
  Faults faults_;
  int requests_ = 0;
  int last_upload_ = 0;
  int64_t skew_ms_ = 0;
  std::vector<std::string> targets_;
  std::map<std::string, Object> objects_;
  std::map<std::string, Upload> uploads_;
  std::vector<http::Respond> dropped_;
  std::unique_ptr<http::Server> server_;
};

}  // namespace pinflow::object
