#include "http/inbox.h"

#include <atomic>
#include <utility>

namespace pinflow::http {
namespace {

thread_local const Inbox* this_threads = nullptr;

class PendingAnswer final : public Respond::Exchange {
 public:
  PendingAnswer(std::shared_ptr<Inbox> inbox, uint64_t connection, uint64_t number)
      : inbox_(std::move(inbox)), connection_(connection), number_(number) {}
  ~PendingAnswer() override {
    if (!answered_.load(std::memory_order_relaxed)) {
      answer(inbox_->error_response(500, "The request was dropped without an answer."), nullptr);
    }
  }

  void answer(Response response, Respond::Held held) override {
    if (answered_.exchange(true, std::memory_order_relaxed)) return;
    inbox_->put({connection_, number_, std::move(response), std::move(held)});
  }

 private:
  const std::shared_ptr<Inbox> inbox_;
  const uint64_t connection_;
  const uint64_t number_;
  std::atomic<bool> answered_ = false;
};

}  // namespace

void Inbox::put(Answer answer) {
  if (this_threads == this) {
    local_.push_back(std::move(answer));
    return;
  }
  const std::lock_guard lock(mutex_);
  if (!wake_) return;
  answers_.push_back(std::move(answer));
  if (!std::exchange(woken_, true)) wake_();
}

void Inbox::own_this_thread(bool own) { this_threads = own ? this : nullptr; }

void Inbox::take(std::vector<Answer>& answers) {
  const std::lock_guard lock(mutex_);
  answers.swap(answers_);
  woken_ = false;
}

void Inbox::close() {
  const std::lock_guard lock(mutex_);
  wake_ = nullptr;
  answers_.clear();
}

Respond way_back(std::shared_ptr<Inbox> inbox, uint64_t connection, uint64_t number) {
  return Respond(std::make_shared<PendingAnswer>(std::move(inbox), connection, number));
}

}  // namespace pinflow::http
