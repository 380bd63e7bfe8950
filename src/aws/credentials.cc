#include "aws/credentials.h"

namespace pinflow::aws {
namespace {

class Fixed final : public CredentialsProvider {
 public:
  explicit Fixed(Credentials credentials) : credentials_(std::move(credentials)) {}
  Result<Credentials> get() override { return credentials_; }
  std::string from() const override { return "what was given"; }

 private:
  const Credentials credentials_;
};

}  // namespace

std::unique_ptr<CredentialsProvider> fixed_credentials(Credentials credentials) {
  return std::make_unique<Fixed>(std::move(credentials));
}

}  // namespace pinflow::aws
