#include "kafka/codec/wire.h"

#include <gtest/gtest.h>

#include "kafka/codec/header.h"
#include "kafka/codec/messages.h"

namespace pinflow::kafka {
namespace {

TEST(Reader, KeepsTheFirstFaultAndGivesZeroFromThenOn) {
  Reader in(std::string_view("\x00\x01\x02", 3));
  EXPECT_EQ(in.integer<int16_t>(), 1);
  EXPECT_TRUE(in.ok());
  EXPECT_EQ(in.integer<int32_t>(), 0);
  EXPECT_FALSE(in.ok());
  EXPECT_STREQ(in.fault(), "the message ends within an integer");
  EXPECT_EQ(in.integer<int8_t>(), 0);
  EXPECT_EQ(in.string(false), std::nullopt);
  EXPECT_EQ(in.remaining(), 0u);
}

TEST(Reader, ReadsVarintsOfUpToFiveBytes) {
  for (const uint32_t value : {0u, 1u, 127u, 128u, 300u, 16383u, 16384u, 0x7fffffffu, 0xffffffffu}) {
    std::string bytes;
    Writer(bytes).varint(value);
    Reader in(bytes);
    EXPECT_EQ(in.varint(), value);
    EXPECT_TRUE(in.ok());
    EXPECT_EQ(in.remaining(), 0u);
  }
  Reader too_wide(std::string_view("\xff\xff\xff\xff\x1f", 5));
  too_wide.varint();
  EXPECT_FALSE(too_wide.ok());
  Reader endless(std::string_view("\x80\x80\x80\x80\x80\x80", 6));
  endless.varint();
  EXPECT_FALSE(endless.ok());
}

TEST(Reader, RefusesLengthsThatLie) {
  for (const std::string_view bytes : {std::string_view("\x00\x05hi", 4), std::string_view("\xff\xfehi", 4)}) {
    Reader in(bytes);
    in.string(false);
    EXPECT_FALSE(in.ok());
  }
  Reader bytes(std::string_view("\x7f\xff\xff\xffhi", 6));
  bytes.bytes(false);
  EXPECT_FALSE(bytes.ok());
}

TEST(Reader, BoundsArraysByTheBytesThatFollowAndByTheMessage) {
  Reader lies(std::string_view("\x00\x00\x00\x03\x01\x02", 6));
  EXPECT_EQ(lies.array(false), -1);
  EXPECT_FALSE(lies.ok());

  std::string large;
  Writer(large).array(kMaxArrayElements + 1, false);
  large.append(kMaxArrayElements + 1, '\0');
  Reader in(large);
  EXPECT_EQ(in.array(false), -1);
  EXPECT_FALSE(in.ok());

  Reader null(std::string_view("\xff\xff\xff\xff", 4));
  EXPECT_EQ(null.array(false), -1);
  EXPECT_TRUE(null.ok());
}

TEST(Writer, CutsATextThatNoStringCanHoldAtACharacter) {
  std::string text(kMaxStringBytes - 1, 'a');
  text += "\xc3\xa9";  // é, of which one byte would fit
  std::string bytes;
  Writer(bytes).string(text, false);
  Reader in(bytes);
  EXPECT_EQ(in.string(false)->size(), kMaxStringBytes - 1);
}

TEST(TaggedFields, ThatAreUnknownAreSkipped) {
  HeartbeatRequest request{.group_id = "g", .generation_id = 7, .member_id = "m"};
  std::string body;
  encode(request, 4, body);
  body.back() = 2;  // the struct's tags: none becomes two
  body += std::string("\x05\x03xyz\x09\x00", 7);
  const auto read = decode<HeartbeatRequest>(body, 4);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->generation_id, 7);
}

TEST(TaggedFields, ThatAreTooManyAreRefused) {
  std::string body;
  encode(HeartbeatRequest{}, 4, body);
  body.back() = 65;
  for (int i = 0; i < 65; ++i) body += std::string("\x01\x00", 2);
  EXPECT_FALSE(decode<HeartbeatRequest>(body, 4));
}

TEST(TaggedFields, AreReadFromTheirOwnBytesOnly) {
  std::string body;
  FetchRequest request;
  request.cluster_id = "c";
  encode(request, 12, body);
  const auto read = decode<FetchRequest>(body, 12);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->cluster_id, "c");
  body.back() = '\x05';
  body[body.size() - 2] = '\x7f';  // the text now claims more than its tag holds
  EXPECT_FALSE(decode<FetchRequest>(body, 12));
}

TEST(Header, GoesThereAndBackInEveryVersion) {
  for (const ApiSpec& api : all_apis()) {
    for (int16_t version = api.min; version <= api.max; ++version) {
      SCOPED_TRACE(std::string(api.name) + " " + std::to_string(version));
      std::string frame;
      write_request_header({static_cast<int16_t>(api.api), version, 77, "me"}, frame);
      frame += "body";
      const auto request = read_request(frame);
      ASSERT_TRUE(request) << request.error().message;
      EXPECT_EQ(request->api, &api);
      EXPECT_TRUE(request->in_range);
      EXPECT_EQ(request->header.correlation_id, 77);
      EXPECT_EQ(request->header.client_id, "me");
      EXPECT_EQ(request->body, "body");
      for (size_t size = 0; size + 5 < frame.size(); ++size) EXPECT_FALSE(read_request(frame.substr(0, size)));

      frame.clear();
      write_response_header(api.api, version, 78, frame);
      frame += "body";
      const auto response = read_response(api.api, version, frame);
      ASSERT_TRUE(response) << response.error().message;
      EXPECT_EQ(response->correlation_id, 78);
      EXPECT_EQ(response->body, "body");
    }
  }
}

TEST(Header, OfAnApiVersionsResponseNeverHasTags) {
  std::string frame;
  write_response_header(Api::api_versions, 4, 1, frame);
  EXPECT_EQ(frame.size(), 4u);
}

TEST(Header, TellsUnknownApisAndVersions) {
  std::string frame("\x00\x00\x7f\xff\x00\x00\x00\x05", 8);
  auto request = read_request(frame);
  ASSERT_TRUE(request);
  EXPECT_STREQ(std::string(request->api->name).c_str(), "Produce");
  EXPECT_FALSE(request->in_range);
  EXPECT_EQ(request->header.correlation_id, 5);
  frame[0] = '\x7f';
  request = read_request(frame);
  ASSERT_TRUE(request);
  EXPECT_EQ(request->api, nullptr);
}

TEST(Apis, AreSortedByKeyAndFound) {
  int16_t before = -1;
  for (const ApiSpec& api : all_apis()) {
    EXPECT_GT(static_cast<int16_t>(api.api), before);
    before = static_cast<int16_t>(api.api);
    EXPECT_LE(api.advertised_min, api.min);
    EXPECT_EQ(find_api(before), &api);
  }
  EXPECT_EQ(find_api(4), nullptr);
  EXPECT_EQ(find_api(-1), nullptr);
  EXPECT_EQ(find_api(1000), nullptr);
}

}  // namespace
}  // namespace pinflow::kafka
