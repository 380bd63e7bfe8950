#include "http/server.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <atomic>
#include <chrono>
#include <cstring>
#include <future>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/files.h"

namespace pinflow::http {
namespace {

constexpr int kPatienceMs = 20'000;  // only a broken server makes a test wait so long

// A client that sends what it is told to, byte by byte if need be.
class RawClient {
 public:
  explicit RawClient(uint16_t port, int receive_buffer = 0) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    if (receive_buffer > 0) setsockopt(fd_.get(), SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = connect(fd_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }

  bool connected() const { return connected_; }
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t n = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0) return false;
      bytes.remove_prefix(static_cast<size_t>(n));
    }
    return true;
  }
  void end_output() { shutdown(fd_.get(), SHUT_WR); }

  // The next answer with its body; empty when the connection ended first.
  std::string answer(bool to_head = false) {
    for (;;) {
      const size_t end = got_.find("\r\n\r\n");
      if (end != got_.npos) {
        const size_t at = got_.find("Content-Length: ");
        const size_t length = at < end && !to_head ? std::stoul(got_.substr(at + 16)) : 0;
        if (got_.size() >= end + 4 + length) {
          std::string answer = got_.substr(0, end + 4 + length);
          got_.erase(0, answer.size());
          return answer;
        }
      }
      if (!more()) return {};
    }
  }
  // True when the server closes without another byte.
  bool ended() { return !more() && got_.empty() && !timed_out_; }
  bool anything_within(int ms) {
    pollfd p{fd_.get(), POLLIN, 0};
    return !got_.empty() || poll(&p, 1, ms) > 0;
  }

 private:
  bool more() {
    pollfd p{fd_.get(), POLLIN, 0};
    if (poll(&p, 1, kPatienceMs) <= 0) {
      timed_out_ = true;
      return false;
    }
    char buffer[65536];
    const ssize_t n = recv(fd_.get(), buffer, sizeof buffer, 0);
    if (n <= 0) return false;
    got_.append(buffer, static_cast<size_t>(n));
    return true;
  }

  Fd fd_;
  bool connected_ = false;
  bool timed_out_ = false;
  std::string got_;
};

std::string get(std::string_view target, std::string_view more = "") {
  return fmt::format("GET {} HTTP/1.1\r\nHost: h\r\n{}\r\n", target, more);
}
std::string post(std::string_view target, std::string_view body) {
  return fmt::format("POST {} HTTP/1.1\r\nHost: h\r\nContent-Length: {}\r\n\r\n{}", target, body.size(), body);
}
int status_of(const std::string& answer) { return answer.size() < 12 ? 0 : std::stoi(answer.substr(9, 3)); }
std::string body_of(const std::string& answer) {
  const size_t end = answer.find("\r\n\r\n");
  return end == answer.npos ? "" : answer.substr(end + 4);
}

// Answers "METHOD target body" at once.
void echo(const Request& request, Respond respond) {
  respond({200, "text/plain", {}, request.method + " " + request.target + " " + request.body});
}

std::unique_ptr<Server> serve(ServerOptions options, Handler handler) {
  auto server = Server::start(std::move(options), std::move(handler));
  EXPECT_TRUE(server.has_value()) << (server ? "" : server.error().message);
  return std::move(*server);
}
std::unique_ptr<Server> serve(Handler handler) { return serve({}, std::move(handler)); }

// Keeps the ways to answer until the test uses them.
class Held {
 public:
  void operator()(const Request& request, Respond respond) {
    const std::lock_guard lock(mutex_);
    held_.emplace_back(request.target, std::move(respond));
    count_ = held_.size();
    count_.notify_all();
  }
  void wait_for(size_t count) {
    for (size_t have = count_; have < count; have = count_) count_.wait(have);
  }
  void answer(size_t index) {
    std::pair<std::string, Respond> one = take(index);
    one.second({200, "text/plain", {}, one.first});
  }
  size_t count() const { return count_; }
  void drop_all() {
    const std::lock_guard lock(mutex_);
    held_.clear();
  }

 private:
  std::pair<std::string, Respond> take(size_t index) {
    const std::lock_guard lock(mutex_);
    return held_.at(index);
  }
  std::mutex mutex_;
  std::vector<std::pair<std::string, Respond>> held_;
  std::atomic<size_t> count_ = 0;
};

TEST(Server, keeps_a_connection_for_many_requests) {
  const auto server = serve(echo);
  RawClient client(server->port());
  for (int i = 0; i < 100; ++i) {
    client.send(post("/x", std::to_string(i)));
    EXPECT_EQ(body_of(client.answer()), fmt::format("POST /x {}", i));
  }
}

TEST(Server, answers_http_1_0_and_closes_unless_asked_to_keep) {
  const auto server = serve(echo);
  RawClient keeps(server->port());
  keeps.send("GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  const std::string answer = keeps.answer();
  EXPECT_NE(answer.find("Connection: keep-alive\r\n"), answer.npos);
  keeps.send("GET /b HTTP/1.0\r\n\r\n");
  EXPECT_EQ(body_of(keeps.answer()), "GET /b ");
  EXPECT_TRUE(keeps.ended());
}

TEST(Server, closes_when_the_client_asks) {
  const auto server = serve(echo);
  RawClient client(server->port());
  client.send(get("/a", "Connection: close\r\n") + get("/never"));
  const std::string answer = client.answer();
  EXPECT_NE(answer.find("Connection: close\r\n"), answer.npos);
  EXPECT_TRUE(client.ended());
}

TEST(Server, does_not_send_a_body_to_head) {
  const auto server = serve(echo);
  RawClient client(server->port());
  client.send("HEAD /a HTTP/1.1\r\nHost: h\r\n\r\n" + get("/b"));
  const std::string head = client.answer(true);
  EXPECT_NE(head.find("Content-Length: 8\r\n"), head.npos) << head;
  EXPECT_EQ(body_of(client.answer()), "GET /b ");
}

TEST(Server, answers_pipelined_requests_in_their_order) {
  Held held;
  const auto server = serve(std::ref(held));
  RawClient client(server->port());
  std::string all;
  for (int i = 0; i < 20; ++i) all += get(fmt::format("/{}", i));
  client.send(all);
  held.wait_for(20);
  for (size_t i = 20; i-- > 0;) held.answer(i);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(body_of(client.answer()), fmt::format("/{}", i));
}

TEST(Server, takes_no_more_than_the_pipeline_limit_at_once) {
  Held held;
  ServerOptions options;
  options.max_pipelined = 3;
  const auto server = serve(options, std::ref(held));
  RawClient client(server->port());
  std::string all;
  for (int i = 0; i < 10; ++i) all += get(fmt::format("/{}", i));
  client.send(all);
  for (size_t i = 0; i < 10; ++i) {
    held.wait_for(std::min<size_t>(i + 3, 10));
    EXPECT_LE(held.count(), i + 3);
    held.answer(i);
    EXPECT_EQ(body_of(client.answer()), fmt::format("/{}", i));
  }
}

TEST(Server, reads_chunked_bodies_and_says_100_continue) {
  const auto server = serve(echo);
  RawClient client(server->port());
  client.send("POST /c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.answer(), "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("3\r\nabc\r\n");
  client.send("2\r\nde\r\n0\r\n\r\n");
  EXPECT_EQ(body_of(client.answer()), "POST /c abcde");
}

TEST(Server, says_100_continue_after_the_answers_before_it) {
  Held held;
  const auto server = serve(std::ref(held));
  RawClient client(server->port());
  client.send(get("/1") + "POST /2 HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n");
  held.wait_for(1);
  held.answer(0);
  EXPECT_EQ(body_of(client.answer()), "/1");
  EXPECT_EQ(client.answer(), "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("x");
  held.wait_for(2);
  held.answer(1);
  EXPECT_EQ(body_of(client.answer()), "/2");
}

TEST(Server, answers_413_while_the_client_still_sends) {
  ServerOptions options;
  options.max_body_bytes = 1000;
  const auto server = serve(options, echo);
  RawClient client(server->port());
  client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5000000\r\n\r\n");
  client.send(std::string(5'000'000, 'x'));
  const std::string answer = client.answer();
  EXPECT_EQ(status_of(answer), 413);
  EXPECT_EQ(body_of(answer), R"({"error_code":413,"message":"The request's body is too large."})");
  client.end_output();
  EXPECT_TRUE(client.ended());
}

TEST(Server, takes_a_body_of_exactly_the_limit) {
  const auto server = serve([](const Request& request, Respond respond) {
    respond({200, "text/plain", {}, std::to_string(request.body.size())});
  });
  RawClient client(server->port());
  client.send(post("/", std::string(16 << 20, 'x')));
  EXPECT_EQ(body_of(client.answer()), std::to_string(16 << 20));
  client.send(post("/", "y"));
  EXPECT_EQ(body_of(client.answer()), "1");
}

TEST(Server, answers_garbage_with_400_and_long_headers_with_431) {
  const auto server = serve(echo);
  RawClient garbage(server->port());
  garbage.send("\x16\x03\x01 what is this\r\n\r\n");
  EXPECT_EQ(status_of(garbage.answer()), 400);
  RawClient chatty(server->port());
  chatty.send(get("/", "X-Long: " + std::string(20'000, 'x') + "\r\n"));
  EXPECT_EQ(status_of(chatty.answer()), 431);
  RawClient after(server->port());
  after.send(get("/ok"));
  EXPECT_EQ(status_of(after.answer()), 200);
}

TEST(Server, answers_good_requests_before_a_bad_one) {
  const auto server = serve(echo);
  RawClient client(server->port());
  client.send(get("/1") + get("/2") + "nonsense\r\n\r\n");
  EXPECT_EQ(body_of(client.answer()), "GET /1 ");
  EXPECT_EQ(body_of(client.answer()), "GET /2 ");
  EXPECT_EQ(status_of(client.answer()), 400);
}

TEST(Server, refuses_bodies_beyond_the_memory_it_may_use) {
  ServerOptions options;
  options.threads = 1;
  options.max_unfinished_body_bytes = 1 << 20;
  const auto server = serve(options, echo);
  RawClient client(server->port());
  client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4000000\r\n\r\n");
  client.send(std::string(3'000'000, 'x'));
  EXPECT_EQ(status_of(client.answer()), 429);
  RawClient small(server->port());
  small.send(post("/", "fits"));
  EXPECT_EQ(body_of(small.answer()), "POST / fits");
}

TEST(Server, closes_an_idle_connection) {
  ServerOptions options;
  options.idle_ms = 100;
  const auto server = serve(options, echo);
  RawClient idle(server->port());
  EXPECT_TRUE(idle.ended());
}

TEST(Server, answers_408_to_a_slow_client) {
  ServerOptions options;
  options.header_ms = options.stall_ms = 100;
  const auto server = serve(options, echo);
  RawClient slow_header(server->port()), slow_body(server->port());
  slow_header.send("GET / HTT");
  slow_body.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc");
  EXPECT_EQ(status_of(slow_header.answer()), 408);
  EXPECT_EQ(status_of(slow_body.answer()), 408);
}

TEST(Server, drops_a_client_that_does_not_read_its_answers) {
  ServerOptions options;
  options.stall_ms = 100;
  options.max_connections = 1;  // another client is served only when the first has been dropped
  const std::string large(4 << 20, 'x');
  const auto server = serve(options, [&](const Request& request, Respond respond) {
    respond({200, "text/plain", {}, request.target == "/large" ? large : "small"});
  });
  RawClient deaf(server->port(), 4096);
  std::string all;
  for (int i = 0; i < 16; ++i) all += get("/large");
  deaf.send(all);
  RawClient other(server->port());
  other.send(get("/small"));
  EXPECT_EQ(body_of(other.answer()), "small");
  int whole = 0;
  while (!deaf.answer().empty()) ++whole;
  EXPECT_LT(whole, 16);
}

TEST(Server, sends_large_answers_whole_to_a_slow_reader) {
  const std::string large(4 << 20, 'x');
  const auto server = serve([&](const Request&, Respond respond) { respond({200, "text/plain", {}, large}); });
  RawClient client(server->port(), 4096);
  client.send(get("/") + get("/") + get("/"));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(body_of(client.answer()).size(), large.size());
}

TEST(Server, answers_what_a_client_sent_before_it_closed_its_side) {
  Held held;
  const auto server = serve(std::ref(held));
  RawClient client(server->port());
  client.send(get("/1") + get("/2"));
  client.end_output();
  held.wait_for(2);
  held.answer(0);
  held.answer(1);
  EXPECT_EQ(body_of(client.answer()), "/1");
  EXPECT_EQ(body_of(client.answer()), "/2");
  EXPECT_TRUE(client.ended());
}

TEST(Server, answers_500_for_a_request_that_the_handler_drops) {
  Held held;
  const auto server = serve(std::ref(held));
  RawClient client(server->port());
  client.send(get("/"));
  held.wait_for(1);
  held.drop_all();
  EXPECT_EQ(status_of(client.answer()), 500);
}

TEST(Server, sends_nothing_to_a_client_that_has_gone_or_a_second_time) {
  Held held;
  const auto server = serve(std::ref(held));
  {
    RawClient gone(server->port());
    gone.send(get("/gone"));
    held.wait_for(1);
  }
  RawClient other(server->port());
  other.send(get("/other"));
  held.wait_for(2);
  held.answer(0);
  held.answer(1);
  held.answer(1);
  EXPECT_EQ(body_of(other.answer()), "/other");
  EXPECT_FALSE(other.anything_within(50));
}

TEST(Server, lets_one_more_connection_wait_until_another_closes) {
  ServerOptions options;
  options.max_connections = 2;
  const auto server = serve(options, echo);
  auto first = std::make_unique<RawClient>(server->port());
  RawClient second(server->port());
  first->send(get("/1"));
  second.send(get("/2"));
  EXPECT_EQ(status_of(first->answer()), 200);
  EXPECT_EQ(status_of(second.answer()), 200);
  RawClient third(server->port());
  third.send(get("/3"));
  EXPECT_FALSE(third.anything_within(100));
  first.reset();
  EXPECT_EQ(body_of(third.answer()), "GET /3 ");
}

TEST(Server, stops_at_once_when_idle) {
  const auto server = serve(echo);
  RawClient client(server->port());
  client.send(get("/"));
  client.answer();
  server->stop(60'000);  // the test would run into its own time-out
  EXPECT_TRUE(client.ended());
  EXPECT_FALSE(RawClient(server->port()).connected());
}

TEST(Server, sends_the_answers_under_way_before_it_stops) {
  Held held;
  const auto server = serve(std::ref(held));
  RawClient client(server->port());
  client.send(get("/1") + get("/2") + "GET /half");
  held.wait_for(2);
  auto stopped = std::async(std::launch::async, [&] { server->stop(60'000); });
  RawClient refused(server->port());
  while (refused.connected() && !refused.ended()) refused = RawClient(server->port());
  held.answer(1);
  held.answer(0);
  EXPECT_EQ(body_of(client.answer()), "/1");
  const std::string last = client.answer();
  EXPECT_EQ(body_of(last), "/2");
  EXPECT_NE(last.find("Connection: close\r\n"), last.npos);
  EXPECT_TRUE(client.ended());
  stopped.get();
}

TEST(Server, stops_when_the_time_to_drain_is_over_and_survives_late_answers) {
  Held held;
  const auto server = serve(std::ref(held));
  RawClient client(server->port());
  client.send(get("/1"));
  held.wait_for(1);
  server->stop(20);
  EXPECT_TRUE(client.ended());
  held.answer(0);
}

TEST(Server, holds_what_an_answer_was_given_until_it_is_sent_or_cannot_be) {
  std::atomic<bool> given = false, let_go = false;
  const auto server = serve([&](const Request& request, Respond respond) {
    if (request.target != "/large") return respond({200, "text/plain", {}, "ok"});
    // Its pointer is null, as where only the end counts.
    respond({200, "text/plain", {}, std::string(16 << 20, 'x')}, {nullptr, [&](const void*) { let_go = true; }});
    given = true;
  });
  auto slow = std::make_unique<RawClient>(server->port(), 64 << 10);
  ASSERT_TRUE(slow->send("GET /large HTTP/1.1\r\nHost: x\r\n\r\n"));
  while (!given) std::this_thread::yield();
  RawClient other(server->port());
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(other.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
    ASSERT_FALSE(other.answer().empty());
    ASSERT_FALSE(let_go) << "after " << i << " further answers";
  }
  slow.reset();
  for (int i = 0; !let_go && i < kPatienceMs; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  EXPECT_TRUE(let_go);
}

TEST(Server, names_a_port_that_is_in_use) {
  const auto server = serve(echo);
  ServerOptions options;
  options.port = server->port();
  const auto second = Server::start(options, echo);
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code, Code::unavailable);
  EXPECT_NE(second.error().message.find(fmt::format("127.0.0.1:{}: the port is in use", options.port)),
            std::string::npos)
      << second.error().message;
}

TEST(Server, refuses_a_host_that_is_not_here) {
  ServerOptions options;
  options.host = "192.0.2.1";
  const auto server = Server::start(options, echo);
  ASSERT_FALSE(server.has_value());
  EXPECT_EQ(server.error().code, Code::invalid);
}

// Many connections, answers from many threads at once: each client gets its own, in order.
TEST(Server, keeps_answers_apart_under_load) {
  constexpr int kThreads = 4, kClients = 32, kRequests = 200;
  std::mutex mutex;
  std::condition_variable_any some;
  std::vector<std::pair<std::string, Respond>> work;
  std::vector<std::jthread> answerers;
  const auto server = serve([&](const Request& request, Respond respond) {
    const std::lock_guard lock(mutex);
    work.emplace_back(request.target, std::move(respond));
    some.notify_one();
  });
  for (int i = 0; i < kThreads; ++i) {
    answerers.emplace_back([&](std::stop_token stop) {
      for (;;) {
        std::vector<std::pair<std::string, Respond>> taken;
        {
          std::unique_lock lock(mutex);
          if (!some.wait(lock, stop, [&] { return !work.empty(); })) return;
          taken.swap(work);
        }
        for (auto& [target, respond] : taken) respond({200, "text/plain", {}, target});
      }
    });
  }
  std::vector<std::jthread> clients;
  std::atomic<int> right = 0;
  for (int c = 0; c < kClients; ++c) {
    clients.emplace_back([&, c] {
      RawClient client(server->port());
      for (int i = 0; i < kRequests; i += 4) {
        std::string four;
        for (int j = i; j < i + 4; ++j) four += get(fmt::format("/{}/{}", c, j));
        client.send(four);
        for (int j = i; j < i + 4; ++j) right += body_of(client.answer()) == fmt::format("/{}/{}", c, j);
      }
    });
  }
  clients.clear();
  EXPECT_EQ(right, kClients * kRequests);
}

}  // namespace
}  // namespace pinflow::http
