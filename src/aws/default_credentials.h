// The chain by which AWS's own tools find credentials, in their order; the first place that has some is taken:
//
//   1. AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN (not where a profile is asked for by name)
//   2. AWS_WEB_IDENTITY_TOKEN_FILE with AWS_ROLE_ARN: lent by STS
//   3. the profile in ~/.aws/credentials and ~/.aws/config: keys, or a role with source_profile, credential_source or
//      web_identity_token_file, or credential_process
//   4. the container's agent
//   5. the instance's metadata service
//
// What ends is asked for again five minutes before; where that fails, what is still good is used on.
// Source: AWS SDKs and Tools Reference Guide, "Standardized credential providers".
#pragma once

#include <memory>
#include <string>

#include "aws/credentials.h"
#include "aws/environment.h"
#include "aws/sts.h"

namespace pinflow::aws {

struct ChainOptions {
  std::string profile;  // by name; empty: AWS_PROFILE or "default", after the environment's keys
  Environment environment = Environment::of_this_process();
};

// Reads nothing yet.
std::shared_ptr<CredentialsProvider> default_credentials(ChainOptions options = {});

// The role, assumed with what `base` gives.
std::shared_ptr<CredentialsProvider> role_credentials(std::shared_ptr<CredentialsProvider> base, StsEndpoint sts,
                                                      Role role,
                                                      Environment environment = Environment::of_this_process());

}  // namespace pinflow::aws
