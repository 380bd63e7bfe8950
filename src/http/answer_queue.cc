#include "http/answer_queue.h"

#include <utility>

namespace pinflow::http {
namespace {

constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

}  // namespace

AnswerQueue::Slot& AnswerQueue::append() {
  if (count_ == slots_.size()) {
    std::vector<Slot> larger(slots_.size() * 2);
    for (uint64_t n = first_; n < first_ + count_; ++n) larger[n & (larger.size() - 1)] = std::move(at(n));
    slots_ = std::move(larger);
  }
  return at(first_ + count_++);
}

uint64_t AnswerQueue::push(Framing framing) {
  Slot& slot = append();
  slot.ready = slot.interim = false;
  slot.framing = framing;
  return first_ + count_ - 1;
}

void AnswerQueue::push_interim(std::string& out) {
  if (empty()) {
    out += kContinue;
    return;
  }
  Slot& slot = append();
  slot.ready = slot.interim = true;
}

void AnswerQueue::put(uint64_t number, Response response, std::string& out, std::string_view common_fields) {
  if (number < first_ || number >= first_ + count_ || at(number).ready) return;
  if (number != first_) {
    at(number).response = std::move(response);
    at(number).ready = true;
    return;
  }
  append_response(out, response, at(number).framing, common_fields);
  ++first_;
  --count_;
  take_ready(out, common_fields);
}

void AnswerQueue::take_ready(std::string& out, std::string_view common_fields) {
  for (; count_ > 0 && at(first_).ready; ++first_, --count_) {
    Slot& slot = at(first_);
    if (slot.interim) {
      out += kContinue;
    } else {
      append_response(out, slot.response, slot.framing, common_fields);
      slot.response = {};
    }
  }
}

void AnswerQueue::close_after_last() {
  if (!empty()) at(first_ + count_ - 1).framing.keep_alive = false;
}

}  // namespace pinflow::http
