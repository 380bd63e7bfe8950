// The lake that a command works on: a folder, or an S3 bucket.
#pragma once

#include <memory>
#include <string>

#include "app/context.h"
#include "base/error.h"
#include "object/s3_store.h"
#include "object/store.h"

namespace pinflow::app {

// --lake, else the setting `lake`, else DATA/lake; made where it is a folder that is missing.
// `for_doctor`: a service that does not answer is given up soon, for somebody waits.
Result<std::unique_ptr<object::Store>> open_lake(const Context& context, bool for_doctor = false);

// Asks for a little of the lake, so that an address, a bucket or keys that are wrong are an error before any work.
Result<> check_lake(object::Store& lake);

// S3 with what the environment, ~/.aws and the settings s3.endpoint, s3.region and s3.path_style say; what `options`
// names already stays. Credentials by AWS's chain, where none are given.
Result<std::unique_ptr<object::Store>> open_s3_lake(const Context& context, object::S3Options options,
                                                    std::shared_ptr<aws::CredentialsProvider> credentials = nullptr);

// Where the store is S3: aborts uploads under its prefix that are a day old, leftovers of what died. A failure is said
// and does no harm.
void tidy_uploads(object::Store& store);

}  // namespace pinflow::app
