// Credentials that the machine itself lends: a container's agent, an instance's metadata service (version 2), a
// command of the profile. Each call asks once; nothing where that place is not there at all.
// Source: AWS SDKs and Tools Reference Guide ("Container credential provider", "IMDS credential provider", "Process
// credential provider").
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "aws/credentials.h"
#include "aws/environment.h"
#include "base/error.h"

namespace pinflow::aws {

// AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or _FULL_URI; nothing where neither is set. A full URI with http must name
// this machine or one of the two agents' addresses, else denied.
Result<std::optional<Credentials>> container_credentials(const Environment& environment);

// Nothing where no such service answers, or AWS_EC2_METADATA_DISABLED is true.
Result<std::optional<Credentials>> instance_credentials(const Environment& environment);

// Runs the profile's credential_process by the shell and reads what it prints.
Result<Credentials> process_credentials(const std::string& command);

// {"AccessKeyId":…,"SecretAccessKey":…,"Token" or "SessionToken":…,"Expiration":…}. Pure. denied where a "Code" other
// than Success says so.
Result<Credentials> parse_json_credentials(std::string_view text);

}  // namespace pinflow::aws
