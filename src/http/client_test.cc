#include "http/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <set>

#include "http/raw_server_test.h"

namespace pinflow::http {
namespace {

using testing::HasSubstr;
using testing::Not;

RawServer::Reply ok(std::string_view body = "{}") { return {RawServer::response(200, body), false}; }

std::unique_ptr<Client> client(ClientOptions options = {}) {
  auto made = Client::create(std::move(options));
  EXPECT_TRUE(made) << made.error().message;
  return std::move(*made);
}

TEST(HttpClient, SendsAndReceives) {
  std::string head, body;
  RawServer server([&](const RawServer::Got& got) {
    head = got.head;
    body = got.body;
    return RawServer::Reply{RawServer::response(201, "hello", "X-One: 1\r\nretry-after: 7\r\n"), false};
  });
  auto outcome =
      client()->request({"POST", server.url("/a?b=c"), {{"Content-Type", "text/x"}, {"X-Empty", ""}}, "the body"});
  ASSERT_TRUE(outcome.response) << outcome.response.error().message;
  EXPECT_TRUE(outcome.sent);
  EXPECT_EQ(outcome.response->status, 201);
  EXPECT_EQ(outcome.response->body, "hello");
  EXPECT_EQ(outcome.response->content_type, "application/json");
  EXPECT_EQ(find_header(outcome.response->headers, "x-one"), "1");
  EXPECT_EQ(find_header(outcome.response->headers, "Retry-After"), "7");
  EXPECT_THAT(head, HasSubstr("POST /a?b=c HTTP/1.1\r\n"));
  EXPECT_THAT(head, HasSubstr("\r\nContent-Type: text/x\r\n"));
  EXPECT_THAT(head, HasSubstr("\r\nX-Empty:"));
  EXPECT_THAT(head, Not(HasSubstr("Expect")));
  EXPECT_EQ(body, "the body");
}

TEST(HttpClient, KnowsTheMethods) {
  RawServer server([&](const RawServer::Got& got) {
    const bool head = got.head.starts_with("HEAD");
    return RawServer::Reply{head ? "HTTP/1.1 200 X\r\nContent-Length: 5\r\n\r\n"
                                 : RawServer::response(200, got.head.substr(0, got.head.find(' ')) + ":" + got.body),
                            false};
  });
  auto http = client();
  EXPECT_EQ(http->request({"GET", server.url()}).response->body, "GET:");
  EXPECT_EQ(http->request({"PUT", server.url(), {}, "x"}).response->body, "PUT:x");
  EXPECT_EQ(http->request({"PUT", server.url()}).response->body, "PUT:");
  EXPECT_EQ(http->request({"DELETE", server.url()}).response->body, "DELETE:");
  EXPECT_EQ(http->request({"HEAD", server.url()}).response->body, "");
  EXPECT_EQ(http->request({"POST", server.url()}).response->body, "POST:");
  EXPECT_EQ(http->request({"GET", server.url()}).response->body, "GET:");  // nothing is left of the one before
}

TEST(HttpClient, KeepsConnections) {
  std::atomic<int> most{0};
  RawServer server([&](const RawServer::Got& got) {
    most = std::max(most.load(), got.connection);
    return ok();
  });
  auto http = client();
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(http->request({"POST", server.url(), {}, "x"}).response);
  EXPECT_EQ(most, 0);
}

TEST(HttpClient, HasManyUnderWay) {
  std::atomic<int> waiting{0};
  RawServer server([&](const RawServer::Got& got) {
    for (++waiting; waiting < 16;) std::this_thread::yield();  // answers only once all are there
    return ok(got.body);
  });
  auto http = client();
  std::set<std::string> bodies;
  for (int i = 0; i < 16; ++i) {
    http->send({"POST", server.url(), {}, fmt::to_string(i)}, [&](Outcome outcome) {
      ASSERT_TRUE(outcome.response);
      bodies.insert(outcome.response->body);
    });
  }
  EXPECT_EQ(http->under_way(), 16u);
  while (http->under_way() > 0) http->wait(std::chrono::seconds(5));
  EXPECT_EQ(bodies.size(), 16u);
}

TEST(HttpClient, TellsWhetherItWasSent) {
  uint16_t port;
  {
    RawServer gone([](const RawServer::Got&) { return ok(); });
    port = gone.port();
  }
  auto http = client();
  auto refused = http->request({"POST", fmt::format("http://127.0.0.1:{}/x", port), {}, "x"});
  ASSERT_FALSE(refused.response);
  EXPECT_EQ(refused.response.error().code, Code::unavailable);
  EXPECT_THAT(refused.response.error().message, HasSubstr(fmt::format("127.0.0.1:{}", port)));
  EXPECT_FALSE(refused.sent);

  RawServer breaks([](const RawServer::Got&) { return RawServer::Reply{"", true}; });
  auto broken = http->request({"POST", breaks.url(), {}, "x"});
  ASSERT_FALSE(broken.response);
  EXPECT_EQ(broken.response.error().code, Code::unavailable);
  EXPECT_TRUE(broken.sent);

  auto half = [](const RawServer::Got&) {
    return RawServer::Reply{"HTTP/1.1 200 X\r\nContent-Length: 10\r\n\r\nabc", true};
  };
  RawServer cuts(half);
  auto cut = http->request({"POST", cuts.url(), {}, "x"});
  ASSERT_FALSE(cut.response);
  EXPECT_TRUE(cut.sent);
}

TEST(HttpClient, NeverSendsTwice) {
  std::atomic<int> requests{0};
  RawServer server([&](const RawServer::Got&) {
    return ++requests == 1 ? ok() : RawServer::Reply{"", true};  // breaks the kept connection at the second request
  });
  auto http = client();
  ASSERT_TRUE(http->request({"POST", server.url(), {}, "1"}).response);
  auto second = http->request({"POST", server.url(), {}, "2"});
  ASSERT_FALSE(second.response);
  EXPECT_TRUE(second.sent);
  EXPECT_EQ(second.response.error().code, Code::unavailable);
  EXPECT_EQ(requests, 2);
}

TEST(HttpClient, GivesUpInTime) {
  RawServer server([](const RawServer::Got&) { return RawServer::Reply{}; });
  auto http = client({.timeout_ms = 50});
  auto outcome = http->request({"POST", server.url(), {}, "x"});
  ASSERT_FALSE(outcome.response);
  EXPECT_EQ(outcome.response.error().code, Code::unavailable);
  EXPECT_TRUE(outcome.sent);
}

TEST(HttpClient, BoundsTheAnswer) {
  RawServer server([](const RawServer::Got&) { return ok(std::string(100'000, 'x')); });
  auto outcome = client({.max_response_bytes = 1000})->request({"GET", server.url()});
  ASSERT_FALSE(outcome.response);
  EXPECT_EQ(outcome.response.error().code, Code::full);
  EXPECT_EQ(client()->request({"GET", server.url()}).response->body.size(), 100'000u);
}

TEST(HttpClient, ShowsNoSecrets) {
  auto outcome = client()->request({"GET", "http://me:geheim@127.0.0.1:1/x?token=abc"});
  ASSERT_FALSE(outcome.response);
  EXPECT_THAT(outcome.response.error().message, HasSubstr("http://127.0.0.1:1/x"));
  EXPECT_THAT(outcome.response.error().message, Not(HasSubstr("geheim")));
  EXPECT_THAT(outcome.response.error().message, Not(HasSubstr("abc")));
}

TEST(HttpClient, RefusesOtherProtocols) {
  for (const char* url : {"file:///etc/passwd", "ftp://127.0.0.1/", "http://"}) {
    auto outcome = client()->request({"GET", url});
    ASSERT_FALSE(outcome.response) << url;
    EXPECT_EQ(outcome.response.error().code, Code::invalid) << url;
    EXPECT_FALSE(outcome.sent);
  }
}

TEST(HttpClient, CancelsWhatIsUnderWay) {
  RawServer server([](const RawServer::Got&) { return RawServer::Reply{}; });
  auto http = client();
  int cancelled = 0;
  for (int i = 0; i < 3; ++i) {
    http->send({"GET", server.url()}, [&](Outcome outcome) {
      cancelled += !outcome.response && outcome.response.error().code == Code::cancelled;
    });
  }
  http->wait(std::chrono::milliseconds(20));
  http->cancel();
  EXPECT_EQ(cancelled, 3);
  EXPECT_EQ(http->under_way(), 0u);
}

TEST(HttpClient, GoesOnInTheCallback) {
  RawServer server([](const RawServer::Got& got) { return ok(got.body); });
  auto http = client();
  int count = 0;
  std::function<void(Outcome)> again = [&](Outcome outcome) {
    ASSERT_TRUE(outcome.response);
    if (++count < 10) http->send({"POST", server.url(), {}, "x"}, again);
  };
  http->send({"POST", server.url(), {}, "x"}, again);
  while (http->under_way() > 0) http->wait(std::chrono::seconds(5));
  EXPECT_EQ(count, 10);
}

TEST(HttpClient, IsWokenByAnotherThread) {
  RawServer server([](const RawServer::Got&) { return RawServer::Reply{}; });  // never answers
  auto http = client();
  std::atomic<bool> answered = false;
  http->send({"GET", server.url()}, [&](Outcome) { answered = true; });
  std::thread other([&] { http->wake(); });
  EXPECT_EQ(http->wait(std::chrono::minutes(10)), 0);
  other.join();
  http->wake();  // while nobody waits: the next wait returns
  EXPECT_EQ(http->wait(std::chrono::minutes(10)), 0);
  EXPECT_FALSE(answered);
  http->cancel();
  EXPECT_TRUE(answered);
}

}  // namespace
}  // namespace pinflow::http
