// One object's way into S3: in one request, or in parts. Stateless but for what it refers to; used by the S3 store.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "object/s3_client.h"

namespace pinflow::object {

// The headers of an object to be made (encryption, ACL, tags), and those that each request on it needs.
std::vector<http::HeaderField> new_object_headers(const S3Options& options);
std::vector<http::HeaderField> customer_key_headers(const S3Options& options);

// Whether an answer's ETag is the MD5 of the object's bytes: not with parts, nor under a key of KMS or the customer,
// which may be the bucket's own default: the answer says so.
bool etag_is_md5(const S3Options& options, const S3Reply& reply);

class S3Upload {
 public:
  S3Upload(S3Client& client, const S3Options& options) : client_(client), options_(options) {}

  struct Object {
    std::string key;
    bool if_absent = true;
  };

  // At most part_bytes. already_exists: somebody else's object has the name; unavailable: it may have been made.
  Result<> put(const Object& object, std::string_view bytes);

  // In parts, `size` bytes got by read(offset, length) on this thread. What a failure leaves is aborted.
  using Read = std::function<Result<std::string>(int64_t offset, int64_t length)>;
  Result<> put_in_parts(const Object& object, int64_t size, const Read& read);

 private:
  S3Call call_for(const Object& object, std::string_view bytes, const std::string& id) const;
  Result<> judge(const S3Call& call, const Result<S3Reply>& reply, const std::string& id, std::string_view md5);
  Result<bool> is_mine(const std::string& key, const std::string& id);
  Result<std::vector<std::string>> send_parts(const std::string& key, const std::string& upload, int64_t size,
                                              const Read& read);
  Result<> complete(const Object& object, const std::string& upload, const std::string& id,
                    const std::vector<std::string>& etags);
  void abort(const std::string& key, const std::string& upload);

  S3Client& client_;
  const S3Options& options_;
};

}  // namespace pinflow::object
