#include "kafka/client/msk_token.h"

#include <algorithm>
#include <vector>

#include "aws/signature.h"
#include "base/base64url.h"

namespace pinflow::kafka {
namespace {

constexpr std::string_view kUserAgent = "pinflow";

class MskTokens final : public TokenSource {
 public:
  MskTokens(std::string region, std::shared_ptr<aws::CredentialsProvider> credentials, std::function<int64_t()> now_ms)
      : region_(std::move(region)), credentials_(std::move(credentials)), now_ms_(std::move(now_ms)) {}

  Result<Token> get() override {
    const auto credentials = credentials_->get();
    if (!credentials) return pass(credentials.error(), "logging in to MSK by IAM");
    const int64_t now = now_ms_();
    int64_t expires = now / 1000 * 1000 + kMskTokenSeconds * 1000;
    if (credentials->expires_ms) expires = std::min(expires, *credentials->expires_ms);
    if (expires <= now) {
      return fail(Code::denied, "logging in to MSK by IAM: the credentials from {} have ended; renew them",
                  credentials_->from());
    }
    return Token{msk_token(region_, *credentials, now), expires, credentials->access_key_id, {}};
  }

 private:
  const std::string region_;
  const std::shared_ptr<aws::CredentialsProvider> credentials_;
  const std::function<int64_t()> now_ms_;
};

}  // namespace

std::string msk_token(const std::string& region, const aws::Credentials& credentials, int64_t now_ms) {
  aws::SignedRequest request;
  request.host = fmt::format("kafka.{}.amazonaws.com", region);
  request.query = {{"Action", "kafka-cluster:Connect"}};
  request.payload_sha256 = aws::kEmptySha256;
  const std::string target = aws::presign(request, {region, "kafka-cluster"}, credentials, now_ms, kMskTokenSeconds);
  return base64url_encode(fmt::format("https://{}{}&User-Agent={}", request.host, target, kUserAgent));
}

std::string msk_region(std::string_view bootstrap_servers) {
  while (!bootstrap_servers.empty()) {
    const size_t comma = std::min(bootstrap_servers.find(','), bootstrap_servers.size());
    std::string_view host = bootstrap_servers.substr(0, comma);
    bootstrap_servers.remove_prefix(std::min(comma + 1, bootstrap_servers.size()));
    host = host.substr(0, host.rfind(':'));
    std::vector<std::string_view> labels;
    while (!host.empty()) {
      const size_t dot = std::min(host.find('.'), host.size());
      labels.push_back(host.substr(0, dot));
      host.remove_prefix(std::min(dot + 1, host.size()));
    }
    const auto aws = std::ranges::find(labels, "amazonaws");
    if (aws == labels.end() || aws - labels.begin() < 2) continue;
    if (const auto service = *(aws - 2); service == "kafka" || service == "kafka-serverless") {
      return std::string(*(aws - 1));
    }
  }
  return {};
}

std::shared_ptr<TokenSource> msk_tokens(std::string region, std::shared_ptr<aws::CredentialsProvider> credentials,
                                        std::function<int64_t()> now_ms) {
  return std::make_shared<MskTokens>(std::move(region), std::move(credentials), std::move(now_ms));
}

}  // namespace pinflow::kafka
