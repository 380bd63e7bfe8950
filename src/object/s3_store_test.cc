// The S3 store against faults. What every store does: store_test.cc.
#include "object/s3_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "base/files.h"
#include "object/s3_stand_in_test.h"

namespace pinflow::object {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

class S3StoreTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "pinflow-s3-test-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
    open(s3_.options(folder_));
  }
  void TearDown() override {
    store_.reset();
    fs::remove_all(folder_);
  }
  void open(S3Options options, std::shared_ptr<aws::CredentialsProvider> keys = S3StandIn::keys()) {
    store_.reset();
    auto opened = open_s3(std::move(options), std::move(keys));
    ASSERT_TRUE(opened) << opened.error().message;
    store_ = std::move(*opened);
  }
  // The first `times` requests with this method fail so.
  void fail_first(const std::string& method, int times, S3StandIn::Fault fault) {
    s3_.inject([=, left = times](const std::string& m, const std::string&) mutable -> std::optional<S3StandIn::Fault> {
      if (m != method || left == 0) return std::nullopt;
      --left;
      return fault;
    });
  }
  fs::path file_with(const std::string& bytes) {
    const fs::path path = store_->staging() / "finished";
    std::ofstream(path) << bytes;
    return path;
  }

  S3StandIn s3_;
  fs::path folder_;
  std::unique_ptr<Store> store_;
};

std::string bytes_of(size_t count) {
  std::string bytes(count, 'x');
  for (size_t i = 0; i < count; ++i) bytes[i] = static_cast<char>('a' + i % 23);
  return bytes;
}

TEST_F(S3StoreTest, KeysHaveThePrefix) {
  ASSERT_TRUE(store_->put_if_absent("topics/a b+c/é.json", "1"));
  EXPECT_EQ(s3_.object("some/prefix/topics/a b+c/é.json"), "1");
  EXPECT_EQ(store_->url(), "s3://bucket/some/prefix");
  EXPECT_EQ(store_->list("topics/")->at(0).name, "topics/a b+c/é.json");
}

TEST_F(S3StoreTest, PassingFaultsAreTriedAgain) {
  for (const auto& [status, code] : {std::pair{500, "InternalError"},
                                     {503, "SlowDown"},
                                     {400, "RequestTimeout"},
                                     {409, "ConditionalRequestConflict"}}) {
    fail_first("PUT", 3, {S3StandIn::error(status, code)});
    EXPECT_TRUE(store_->put_if_absent(fmt::format("a/{}", code), "x"));
    fail_first("GET", 3, {S3StandIn::error(status, code)});
    EXPECT_EQ(store_->get(fmt::format("a/{}", code)).value(), "x");
  }
}

TEST_F(S3StoreTest, ALostAnswerIsNoOtherObject) {
  fail_first("PUT", 1, {S3StandIn::error(500, "InternalError"), true});
  EXPECT_TRUE(store_->put_if_absent("a", "mine"));
  fail_first("PUT", 1, {S3StandIn::error(500, "InternalError"), true});
  EXPECT_EQ(store_->put_if_absent("a", "other").error().code, Code::already_exists);
  EXPECT_EQ(store_->get("a").value(), "mine");
}

TEST_F(S3StoreTest, NoAnswerAtAllIsATimeOut) {
  auto options = s3_.options(folder_);
  options.timeout_ms = 100;
  options.attempts = 2;
  open(options);
  fail_first("PUT", 1, {{}, true, true});
  EXPECT_TRUE(store_->put_if_absent("a", "mine"));
  fail_first("PUT", 2, {{}, false, true});
  auto put = store_->put_if_absent("b", "x");
  EXPECT_EQ(put.error().code, Code::unavailable);
  EXPECT_THAT(put.error().message, HasSubstr("2 attempts"));
}

TEST_F(S3StoreTest, LargeObjectsGoInParts) {
  const std::string bytes = bytes_of(4321);
  ASSERT_TRUE(store_->put_file_if_absent("file", file_with(bytes)));
  EXPECT_FALSE(fs::exists(store_->staging() / "finished"));
  EXPECT_EQ(s3_.object("some/prefix/file"), bytes);
  ASSERT_TRUE(store_->put_if_absent("memory", bytes));
  EXPECT_EQ(store_->get("memory").value(), bytes);
  auto fetched = store_->fetch("file");
  ASSERT_TRUE(fetched);
  EXPECT_EQ(read_file(fetched->path()).value(), bytes);
  EXPECT_EQ(store_->put_if_absent("file", bytes).error().code, Code::already_exists);
  EXPECT_EQ(s3_.open_uploads(), 0u);
}

TEST_F(S3StoreTest, ACompletionWhoseAnswerIsLost) {
  const std::string bytes = bytes_of(2500);
  s3_.inject(
      [once = true](const std::string& method, const std::string& target) mutable -> std::optional<S3StandIn::Fault> {
        if (method != "POST" || !target.contains("uploadId") || !std::exchange(once, false)) return std::nullopt;
        return S3StandIn::Fault{S3StandIn::error(500, "InternalError"), true};
      });
  ASSERT_TRUE(store_->put_if_absent("a", bytes));
  EXPECT_EQ(store_->get("a").value(), bytes);
}

TEST_F(S3StoreTest, ACompletionThatFailsInItsBody) {
  int failures = 2;
  s3_.inject([&](const std::string& method, const std::string& target) -> std::optional<S3StandIn::Fault> {
    if (method != "POST" || !target.contains("uploadId") || failures == 0) return std::nullopt;
    --failures;
    return S3StandIn::Fault{S3StandIn::error(200, "InternalError")};
  });
  ASSERT_TRUE(store_->put_if_absent("a", bytes_of(2500)));
  EXPECT_EQ(failures, 0);
}

TEST_F(S3StoreTest, WhatAnUploadLeavesIsAborted) {
  fail_first("PUT", 100, {S3StandIn::error(403, "AccessDenied")});
  EXPECT_EQ(store_->put_if_absent("a", bytes_of(2500)).error().code, Code::denied);
  EXPECT_EQ(s3_.open_uploads(), 0u);
  // Left over by a process that died: nobody aborted it.
  s3_.inject([](const std::string& method, const std::string&) -> std::optional<S3StandIn::Fault> {
    if (method != "PUT" && method != "DELETE") return std::nullopt;
    return S3StandIn::Fault{S3StandIn::error(403, "AccessDenied")};
  });
  EXPECT_FALSE(store_->put_if_absent("a", bytes_of(2500)));
  s3_.inject({});
  EXPECT_EQ(s3_.open_uploads(), 1u);
  EXPECT_EQ(abort_leftovers(*store_, std::chrono::hours(24)).value(), 1);
  EXPECT_EQ(s3_.open_uploads(), 0u);
}

TEST_F(S3StoreTest, BytesThatWereStoredWrongAreCorrupt) {
  fail_first("PUT", 1, {{200, "", {{"ETag", "\"0123456789abcdef0123456789abcdef\""}}, ""}, true});
  auto put = store_->put_if_absent("a", "x");
  EXPECT_EQ(put.error().code, Code::corrupt);
  ASSERT_TRUE(store_->put_if_absent("b", "some bytes"));
  s3_.tamper("some/prefix/b");
  EXPECT_EQ(store_->get("b").error().code, Code::corrupt);
  EXPECT_EQ(store_->fetch("b").error().code, Code::corrupt);
}

TEST_F(S3StoreTest, AnETagUnderTheBucketsOwnKeyIsNoChecksum) {
  // A bucket may encrypt by KMS though nobody asked for it: 32 digits, and not of the bytes.
  const std::vector<http::HeaderField> kms = {{"ETag", "\"0123456789abcdef0123456789abcdef\""},
                                              {"x-amz-server-side-encryption", "aws:kms"}};
  fail_first("PUT", 1, {{200, "", kms, ""}, true});
  EXPECT_TRUE(store_->put_if_absent("a", "x"));
  fail_first("GET", 1, {{200, "", kms, "x"}});
  EXPECT_EQ(store_->get("a").value(), "x");
  fail_first("PUT", 5, {{200, "", kms, ""}, true});
  EXPECT_TRUE(store_->put_if_absent("parts", bytes_of(2500)));
}

TEST_F(S3StoreTest, WhatTheServiceDoesNotHaveIsNotTriedAgain) {
  const int before = s3_.requests();
  fail_first("PUT", 100, {S3StandIn::error(501, "NotImplemented")});
  EXPECT_EQ(store_->put_if_absent("a", "x").error().code, Code::unsupported);
  EXPECT_EQ(s3_.requests(), before + 1);
}

TEST_F(S3StoreTest, AWrongClockIsCorrectedOnce) {
  s3_.skew_clock(3'600'000);
  EXPECT_TRUE(store_->put_if_absent("a", "x"));
  const int before = s3_.requests();
  EXPECT_EQ(store_->get("a").value(), "x");
  EXPECT_EQ(s3_.requests(), before + 1);
}

TEST_F(S3StoreTest, AnEndedSessionIsRenewedOnce) {
  struct Counting final : aws::CredentialsProvider {
    Result<aws::Credentials> get() override { return aws::Credentials{"AKIDTEST", "secret", "", {}}; }
    void forget() override { ++forgotten; }
    std::string from() const override { return "test"; }
    int forgotten = 0;
  };
  const auto keys = std::make_shared<Counting>();
  open(s3_.options(folder_), keys);
  fail_first("PUT", 1, {S3StandIn::error(400, "ExpiredToken")});
  EXPECT_TRUE(store_->put_if_absent("a", "x"));
  EXPECT_EQ(keys->forgotten, 1);
  fail_first("PUT", 100, {S3StandIn::error(400, "ExpiredToken")});
  auto put = store_->put_if_absent("b", "x");
  EXPECT_EQ(put.error().code, Code::denied);
  EXPECT_THAT(put.error().message, HasSubstr("The session has ended: get new credentials"));
  EXPECT_EQ(keys->forgotten, 2);
}

TEST_F(S3StoreTest, ErrorsSayWhatToDo) {
  open(s3_.options(folder_), S3StandIn::keys("a wrong one"));
  auto put = store_->put_if_absent("a", "x");
  EXPECT_EQ(put.error().code, Code::denied);
  EXPECT_THAT(put.error().message, HasSubstr("PUT s3://bucket/some/prefix/a: 403 SignatureDoesNotMatch"));
  EXPECT_THAT(put.error().message, testing::Not(HasSubstr("a wrong one")));
  auto elsewhere = s3_.options(folder_);
  elsewhere.bucket = "other-bucket";
  open(elsewhere);
  EXPECT_THAT(store_->get("a").error().message, HasSubstr("The bucket other-bucket is not there"));
  EXPECT_EQ(store_->get("a").error().code, Code::not_found);
  open(s3_.options(folder_));
  fail_first("PUT", 9, {S3StandIn::error(400, "AuthorizationHeaderMalformed", {{"x-amz-bucket-region", "eu-west-3"}})});
  EXPECT_THAT(store_->put("a", "x").error().message, HasSubstr("in another region than us-east-1: eu-west-3"));
}

TEST_F(S3StoreTest, KeysThatTheServiceDoesNotKnow) {
  for (const auto& [status, code] : {std::pair{404, "XAdminUserNotFound"}, {403, "InvalidAccessKeyId"}}) {
    fail_first("GET", 1, {S3StandIn::error(status, code)});
    const auto got = store_->get("a");
    EXPECT_EQ(got.error().code, Code::denied) << code;
    EXPECT_THAT(got.error().message, HasSubstr("Look at the access key and its secret"));
  }
}

TEST_F(S3StoreTest, AServicesFullStopIsNotDoubled) {
  for (const char* said : {"The bucket is gone", "The bucket is gone.", "The bucket is gone.. "}) {
    const std::string body = fmt::format("<Error><Code>NoSuchBucket</Code><Message>{}</Message></Error>", said);
    fail_first("GET", 1, {{404, "application/xml", {}, body}});
    EXPECT_THAT(store_->get("a").error().message, HasSubstr("The bucket is gone. The bucket bucket is not there"));
  }
}

TEST_F(S3StoreTest, AStopEndsTheAttempts) {
  auto options = s3_.options(folder_);
  options.attempts = 1'000'000;
  options.backoff = std::chrono::milliseconds(10);
  options.patience_at_stop = std::chrono::milliseconds(0);
  options.stopping = [this] { return s3_.requests() > 2; };
  open(options);
  fail_first("PUT", 1'000'000, {S3StandIn::error(503, "SlowDown")});
  const auto put = store_->put_if_absent("a", "x");
  EXPECT_EQ(put.error().code, Code::unavailable);
  EXPECT_THAT(put.error().message,
              testing::AllOf(HasSubstr("503 SlowDown"), HasSubstr("attempts); not tried again, because of the stop")));
  fail_first("PUT", 0, {});
  EXPECT_TRUE(store_->put_if_absent("a", "x"));  // what is asked while stopping is asked once
  EXPECT_EQ(store_->get("a").value(), "x");
}

TEST_F(S3StoreTest, UrlsAndEndpoints) {
  auto url = parse_s3_url("s3://my-bucket/a/b/");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->bucket, "my-bucket");
  EXPECT_EQ(url->prefix, "a/b");
  EXPECT_EQ(parse_s3_url("s3://my-bucket")->prefix, "");
  for (const char* wrong : {"s3://", "s3://B", "s3:/x", "s3://My-Bucket/x", "s3://bucket//x", "s3://bucket/.hidden"})
    EXPECT_FALSE(parse_s3_url(wrong)) << wrong;
  auto options = s3_.options(folder_);
  options.endpoint = "ftp://x";
  EXPECT_THAT(open_s3(options, S3StandIn::keys()).error().message, HasSubstr("is not a URL such as http://127.0.0.1"));
}

TEST_F(S3StoreTest, HeadersOfNewObjects) {
  auto options = s3_.options(folder_);
  options.server_side_encryption = "aws:kms";
  options.kms_key_id = "key";
  options.canned_acl = "private";
  options.tags = {{"a", "b c"}};
  options.customer_key = std::string(32, 'k');
  open(options);
  EXPECT_TRUE(store_->put_if_absent("a", "x"));  // the stand-in checks that all of them are signed
}

}  // namespace
}  // namespace pinflow::object
