// The gateway's way to Kinesis: one thread with many calls under way, so that no connection needs a thread of its own.
// Single records of one stream that come at the same time travel together (PutRecords), each answered with its own
// result: fewer requests, and fewer fsyncs behind them. Nothing is held back to wait for company: what has come while
// the calls before were under way goes next.
//
// No put is ever sent twice by itself: a client whose answer was lost is told so (504), and decides. AWS's errors go to
// the client as they are.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/error.h"
#include "gateway/stream_request.h"
#include "http/message.h"
#include "kinesis/client/courier.h"

namespace pinflow::gateway {

class StreamFront {
 public:
  static constexpr size_t kMaxTogether = 500;           // records of one PutRecords
  static constexpr size_t kMaxBytesTogether = 4 << 20;  // of data and keys; AWS takes 5 MiB
  static constexpr size_t kMaxCalls = 4;                // PutRecords of one stream under way
  static constexpr size_t kMaxUnfilled = 2;             // of them, with less than kMaxTogether records

  static Result<std::unique_ptr<StreamFront>> start(std::shared_ptr<const kinesis::Endpoint> endpoint);
  ~StreamFront();  // stop()

  using Answered = std::function<void(http::Response)>;

  // Any thread; `answered` is called once, on the front's thread. How much waits is the caller's to bound.
  void put(const std::string& stream, StreamRecord record, Answered answered);
  void call(std::string operation, std::string body, Answered answered);
  // Ends what is under way (504); what comes afterwards is answered 503.
  void stop();

 private:
  struct Waiting {
    StreamRecord record;
    Answered answered;
  };
  struct Lane {
    std::deque<Waiting> waiting;
    size_t calls = 0;
  };
  struct Errand {
    std::string operation, body;  // a call, or
    std::string stream;           // where it is not empty: a record to it
    StreamRecord record;
    Answered answered;
  };

  StreamFront() = default;
  void run(const std::stop_token& stop);
  void take_errands();
  void give(Errand errand);
  void send(const std::string& stream, Lane& lane);
  void put_alone(const std::string& stream, Waiting waiting);
  void settle(const std::string& stream, std::vector<Waiting>& sent, kinesis::CallOutcome outcome);

  std::unique_ptr<kinesis::Courier> courier_;
  std::map<std::string, Lane> lanes_;

  std::mutex mutex_;  // guards:
  std::vector<Errand> errands_;
  bool stopped_ = false;

  std::jthread thread_;
};

}  // namespace pinflow::gateway
