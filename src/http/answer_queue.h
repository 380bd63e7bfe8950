// The requests of one connection under way, in order, and the answers that have come for them, in any order. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "http/message.h"
#include "http/response_bytes.h"

namespace pinflow::http {

class AnswerQueue {
 public:
  size_t size() const { return count_; }
  bool empty() const { return count_ == 0; }

  // A request has been taken: the number by which its answer is put.
  uint64_t push(Framing framing);
  // Bytes that stand in the queue like an answer: "100 Continue".
  void push_interim(std::string& out);

  // The answer of one request; it and those behind it that are now next in line are appended to `out` as bytes.
  // Unknown and answered numbers are ignored.
  void put(uint64_t number, Response response, std::string& out, std::string_view common_fields);

  // The last request taken so far is the connection's last: its answer says "Connection: close".
  void close_after_last();

 private:
  struct Slot {
    bool ready = false;
    bool interim = false;
    Framing framing;
    Response response;
  };
  Slot& at(uint64_t number) { return slots_[number & (slots_.size() - 1)]; }
  Slot& append();
  void take_ready(std::string& out, std::string_view common_fields);

  std::vector<Slot> slots_ = std::vector<Slot>(1);  // a ring; its size is a power of two
  uint64_t first_ = 0;
  size_t count_ = 0;
};

}  // namespace pinflow::http
