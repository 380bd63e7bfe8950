// Logging in to Amazon MSK by IAM: a presigned URL of kafka-cluster:Connect, in base64, shown as a bearer token.
// Source: AWS's own signers (aws-msk-iam-sasl-signer-python, -js, -java), which all make this form:
//
//   base64url( https://kafka.REGION.amazonaws.com/?Action=kafka-cluster%3AConnect&X-Amz-Algorithm=…&X-Amz-Credential=…
//              &X-Amz-Date=…&X-Amz-Expires=900&X-Amz-SignedHeaders=host[&X-Amz-Security-Token=…]&X-Amz-Signature=…
//              &User-Agent=pinflow%2F… )         without padding; User-Agent is not signed
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "aws/credentials.h"
#include "kafka/client/token.h"

namespace pinflow::kafka {

inline constexpr int64_t kMskTokenSeconds = 900;

// Pure.
std::string msk_token(const std::string& region, const aws::Credentials& credentials, int64_t now_ms);

// The region that a cluster's addresses tell ("b-1.x.y.c2.kafka.us-east-1.amazonaws.com:9098"; also
// "…kafka-serverless…", and ".com.cn"): that of the first that does; empty where none does.
std::string msk_region(std::string_view bootstrap_servers);

// A new token at each call. It ends after 15 minutes, or with the credentials where those end before.
std::shared_ptr<TokenSource> msk_tokens(std::string region, std::shared_ptr<aws::CredentialsProvider> credentials,
                                        std::function<int64_t()> now_ms);

}  // namespace pinflow::kafka
