#include "http/request_reader.h"

#include <gtest/gtest.h>

#include <string>

#include "http/response_bytes.h"

namespace pinflow::http {
namespace {

using Progress = RequestReader::Progress;

// Feeds `bytes` cut into pieces of `piece` bytes, as a connection would.
Progress feed_in_pieces(RequestReader& reader, const std::string& bytes, size_t piece) {
  std::string kept;
  Progress progress = Progress::need_more;
  for (size_t at = 0; at < bytes.size() && progress == Progress::need_more; at += piece) {
    kept += bytes.substr(at, piece);
    size_t used = 0;
    progress = reader.feed(kept, used);
    kept.erase(0, used);
  }
  return progress;
}

Progress feed_whole(RequestReader& reader, std::string_view bytes) {
  size_t used = 0;
  return reader.feed(bytes, used);
}

TEST(RequestReader, reads_a_request_however_it_is_cut) {
  const std::string bytes =
      "\r\nPOST /prod/topics/a%20b?x=1 HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n"
      "Content-Length: 11\r\n\r\nhello world";
  for (const size_t piece : {1ul, 2ul, 3ul, 7ul, 50ul, 1000ul}) {
    RequestReader reader({});
    ASSERT_EQ(feed_in_pieces(reader, bytes, piece), Progress::complete) << piece;
    EXPECT_EQ(reader.request().method, "POST");
    EXPECT_EQ(reader.request().target, "/prod/topics/a%20b?x=1");
    EXPECT_EQ(reader.request().header("content-type"), "application/json");
    EXPECT_EQ(reader.request().body, "hello world");
    EXPECT_TRUE(reader.keep_alive());
    EXPECT_FALSE(reader.http10());
  }
}

TEST(RequestReader, reads_chunks_with_extensions_and_trailers) {
  const std::string bytes =
      "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
      "5;name=value\r\nhello\r\n6\r\n world\r\n0\r\nX-Trailer: t\r\n\r\n";
  for (const size_t piece : {1ul, 4ul, 1000ul}) {
    RequestReader reader({});
    ASSERT_EQ(feed_in_pieces(reader, bytes, piece), Progress::complete) << piece;
    EXPECT_EQ(reader.request().body, "hello world");
  }
}

TEST(RequestReader, leaves_the_next_request_alone) {
  const std::string one = "GET /1 HTTP/1.1\r\nHost: h\r\nX-A: long value\r\n\r\n";
  const std::string two = "GET /2 HTTP/1.0\r\n\r\n";
  const std::string both = one + two;
  RequestReader reader({});
  size_t used = 0;
  ASSERT_EQ(reader.feed(both, used), Progress::complete);
  EXPECT_EQ(used, one.size());
  reader.next();
  EXPECT_TRUE(reader.idle());
  ASSERT_EQ(reader.feed(std::string_view(both).substr(used), used), Progress::complete);
  EXPECT_EQ(reader.request().target, "/2");
  EXPECT_TRUE(reader.request().headers.empty());
  EXPECT_TRUE(reader.http10());
  EXPECT_FALSE(reader.keep_alive());
}

TEST(RequestReader, says_what_is_wrong) {
  struct Case {
    std::string bytes;
    int status;
  };
  const Case cases[] = {
      {"this is not HTTP at all\r\n\r\n", 400},
      {std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11), 400},  // a TLS greeting
      {"GET  HTTP/1.1\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\n\r\n", 400},  // no Host
      {"GET / HTTP/1.1\r\nHost: h\r\nbad header\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: h\r\nX: a\x01z\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1x\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n", 400},
      {"POST / HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip\r\n\r\n", 501},
      {"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501},
      {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 101\r\n\r\n", 413},
      {"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n65\r\n", 413},
      {"GET / HTTP/2.0\r\n\r\n", 505},
      {"GET / HTTP/1.1\r\nHost: h\r\nX: " + std::string(400, 'x') + "\r\n\r\n", 431},
      {"GET /" + std::string(400, 'x') + " HTTP/1.1\r\nHost: h\r\n\r\n", 431},
  };
  for (const Case& c : cases) {
    RequestReader reader({.header_bytes = 300, .body_bytes = 100});
    EXPECT_EQ(feed_whole(reader, c.bytes), Progress::refused) << c.bytes;
    EXPECT_EQ(reader.status(), c.status) << c.bytes;
    EXPECT_FALSE(reader.message().empty());
  }
}

TEST(RequestReader, bounds_a_header_that_comes_in_many_short_lines) {
  RequestReader reader({.header_bytes = 300, .body_bytes = 100});
  ASSERT_EQ(feed_whole(reader, "GET / HTTP/1.1\r\nHost: h\r\n"), Progress::need_more);
  Progress progress = Progress::need_more;
  int lines = 0;
  std::string kept;
  for (; progress == Progress::need_more && lines < 100; ++lines) {
    kept += "X-Field: value\r\n";
    size_t used = 0;
    progress = reader.feed(kept, used);
    kept.erase(0, used);
  }
  EXPECT_EQ(progress, Progress::refused);
  EXPECT_EQ(reader.status(), 431);
  EXPECT_LT(lines, 25);
}

TEST(RequestReader, tells_once_that_the_client_waits_for_100_continue) {
  RequestReader reader({});
  ASSERT_EQ(feed_whole(reader, "POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"),
            Progress::need_more);
  EXPECT_TRUE(reader.in_body());
  EXPECT_TRUE(reader.wants_continue());
  EXPECT_FALSE(reader.wants_continue());
  EXPECT_EQ(feed_whole(reader, "ok"), Progress::complete);
}

TEST(ResponseBytes, cannot_be_split_by_a_header_value) {
  std::string bytes;
  append_response(bytes, {404, "text/plain", {{"X-Echo", "a\r\nSet-Cookie: b"}}, "no"}, {}, "Date: now\r\n");
  EXPECT_EQ(bytes,
            "HTTP/1.1 404 Not Found\r\nDate: now\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n"
            "X-Echo: a  Set-Cookie: b\r\n\r\nno");
}

TEST(ResponseBytes, writes_dates_as_http_wants_them) {
  EXPECT_EQ(http_date(784111777), "Sun, 06 Nov 1994 08:49:37 GMT");
}

}  // namespace
}  // namespace pinflow::http
