#include "aws/renewed.h"

#include "base/logging.h"

namespace pinflow::aws {

Result<Credentials> Renewed::get() {
  std::lock_guard lock(mutex_);
  const int64_t now = now_ms_();
  const auto is_good_for = [&](int64_t ms) {
    return found_ && (!found_->credentials.expires_ms || *found_->credentials.expires_ms > now + ms);
  };
  if (is_good_for(kRenewBeforeMs) || (is_good_for(0) && now < retry_at_ms_)) return found_->credentials;
  auto found = source_();
  if (found) {
    found_ = std::move(*found);
    retry_at_ms_ = now + kRetryAfterMs;  // where even new ones end soon
    return found_->credentials;
  }
  if (!is_good_for(0)) return pass(found.error());
  retry_at_ms_ = now + kRetryAfterMs;
  warn("AWS credentials could not be renewed and are good for {} s yet: {}",
       (*found_->credentials.expires_ms - now) / 1000, found.error().message);
  return found_->credentials;
}

std::string Renewed::from() const {
  std::lock_guard lock(mutex_);
  return found_ ? found_->from : "";
}

void Renewed::forget() {
  std::lock_guard lock(mutex_);
  found_.reset();
}

}  // namespace pinflow::aws
