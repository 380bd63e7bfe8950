// A small HTTP/1.1 client with kept connections: many requests under way at once, on one thread, by libcurl.
// A Client belongs to one thread, which makes every call (but wake) and gets every callback; make one for each thread.
// TLS certificates are verified. Redirects are not followed. A request is sent at most once: what failed is the
// caller's to try again, who knows whether that may do harm.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "http/message.h"

namespace pinflow::http {

struct ClientOptions {
  int max_connections = 64;              // kept open at most, idle ones too
  size_t max_response_bytes = 64 << 20;  // a longer body is an error (full)
  int connect_timeout_ms = 5'000;        // name, connection and TLS
  int timeout_ms = 30'000;               // of a whole request; 0: none
  std::string ca_file;                   // PEM; empty: those that the system trusts
  std::string user_agent = "pinflow";
};

struct ClientRequest {
  std::string method = "GET";
  std::string url;
  std::vector<HeaderField> headers;
  std::string body;
  std::string_view body_view = {};  // sent where `body` is empty; the caller's until `done` is called
};

// How a request ended. Without a response, the error's code is unavailable (connection, time-out), invalid (the URL),
// denied (TLS), full (too long an answer) or cancelled.
struct Outcome {
  Result<Response> response;
  // Whether the server may have got the request: always with a response, never where no connection came about.
  bool sent = false;
};

class Client {
 public:
  static Result<std::unique_ptr<Client>> create(ClientOptions options);
  ~Client();  // cancel(); `done` must not send then
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  using Done = std::function<void(Outcome)>;

  // Begins a request. `done` is called once, from within wait, request or cancel; it may call send.
  // The number of requests under way is the caller's to bound.
  void send(ClientRequest request, Done done);
  size_t under_way() const;
  // Works on what is under way until something has ended, or wake(), or for `at_most`. Returns how many requests ended.
  int wait(std::chrono::milliseconds at_most);
  // Any thread, the only call that may come from another: the wait under way, or else the next one, returns at once.
  void wake();
  // Ends all that is under way with the code cancelled. (What their `done` sends is under way afterwards.)
  void cancel();

  // One request, waited for. (Others under way go on meanwhile.)
  Outcome request(ClientRequest request);

 private:
  struct State;
  explicit Client(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace pinflow::http
